//! The port for whoever looks after a demo server, with a framework and without.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

type Outcome = Result<(), Box<dyn Error>>;

/// A server that ends with the test.
struct Server {
    child: Child,
    lines: Box<dyn BufRead>,
}

impl Server {
    fn start(binary: &str, arguments: &[&str], token: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(binary);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments).env_remove("SIGNAL_ADMIN_TOKEN");
        command.envs(token.map(|token| ("SIGNAL_ADMIN_TOKEN", token)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = Box::new(BufReader::new(child.stdout.take().ok_or("no output")?));
        Ok(Self { child, lines })
    }

    /// The address in the next line, which begins with `words`.
    fn address(&mut self, words: &str) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        let address = line.trim().strip_prefix(words).ok_or_else(|| format!("it said {line:?}"))?;
        Ok(address.to_owned())
    }

    fn stop(mut self) -> Outcome {
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

fn get(address: &str, path: &str, headers: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

const TOKEN: &str = "not-easy-to-guess";
const SHOWN: &str = "authorization: Bearer not-easy-to-guess\r\n";

/// What holds for each server. `names` are those of its systems.
fn watch(binary: &str, names: &[&str]) -> Outcome {
    let mut server = Server::start(binary, &["--admin-listen", "127.0.0.1:0"], Some(TOKEN))?;
    let address = server.address("listening on http://")?;
    let admin = server.address("admin on http://")?;
    for path in ["/healthz", "/readyz"] {
        let answer = get(&address, path, "")?;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok\n"), "{answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
    let metrics = get(&admin, "/metrics", "")?;
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    for (place, name) in names.iter().enumerate() {
        let line = format!("\nsignal_sessions{{server=\"{name}\",state=\"attached\"}} 0\n");
        assert!(metrics.contains(&line), "{metrics}");
        let path = if place == 0 { "/admin/peers".to_owned() } else { format!("/{name}/admin/peers") };
        assert!(get(&admin, &path, "")?.starts_with("HTTP/1.1 401 "), "{path}");
        assert!(get(&admin, &path, SHOWN)?.ends_with(r#"{"peers":[],"next":null}"#), "{path}");
    }
    // Nothing of it is on the port that everybody reaches.
    for path in ["/metrics", "/admin/peers"] {
        assert!(get(&address, path, SHOWN)?.starts_with("HTTP/1.1 404 "), "{path}");
    }
    server.stop()
}

#[test]
fn all_systems_are_watched_on_one_port() -> Outcome {
    watch(env!("CARGO_BIN_EXE_demo-server"), &["group", "meeting", "two", "strangers", "star", "raw"])
}

#[test]
fn a_server_without_a_framework_is_watched_in_the_same_way() -> Outcome {
    watch(env!("CARGO_BIN_EXE_raw"), &["raw"])
}

#[test]
fn without_a_token_there_are_metrics_and_a_sentence_how_to_get_more() -> Outcome {
    let mut server = Server::start(env!("CARGO_BIN_EXE_two"), &["--admin-listen", "127.0.0.1:0"], None)?;
    server.address("listening on http://")?;
    let admin = server.address("admin on http://")?;
    assert!(get(&admin, "/metrics", "")?.starts_with("HTTP/1.1 200 "));
    let refused = get(&admin, "/admin/peers", SHOWN)?;
    assert!(refused.starts_with("HTTP/1.1 403 ") && refused.contains("No admin token is set"), "{refused}");
    Ok(())
}

#[test]
fn a_token_that_can_be_guessed_is_an_error_at_the_start() -> Outcome {
    let mut server =
        Server::start(env!("CARGO_BIN_EXE_two"), &["--admin-listen", "127.0.0.1:0"], Some("short"))?;
    assert!(server.address("listening on http://").is_err());
    assert!(!server.child.wait()?.success());
    Ok(())
}
