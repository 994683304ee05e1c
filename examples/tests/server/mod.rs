//! A demo server as a process of its own.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) child: Child,
    lines: Box<dyn BufRead>,
    pub(crate) log: Box<dyn BufRead>,
}

impl Server {
    pub(crate) fn start(
        binary: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(binary);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.env_remove("SIGNAL_ADMIN_TOKEN").envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let lines = Box::new(BufReader::new(child.stdout.take().ok_or("no output")?));
        let log = Box::new(BufReader::new(child.stderr.take().ok_or("no log")?));
        Ok(Self { child, lines, log })
    }

    /// The address in the next line, which begins with `words`.
    pub(crate) fn address(&mut self, words: &str) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        let address = line.trim().strip_prefix(words).ok_or_else(|| format!("it said {line:?}"))?;
        Ok(address.to_owned())
    }

    pub(crate) fn stop(mut self) -> Outcome {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(status.to_string().into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn get(address: &str, path: &str, headers: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
