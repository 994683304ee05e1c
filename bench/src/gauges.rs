//! What the server says of itself at `/metrics`.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::{Result, server::Server};

/// How often to ask a server that has something to finish.
const AGAIN: Duration = Duration::from_millis(50);

/// Waits until every gauge is at 0, but no longer than `patience`: nobody is there, and nothing is left of those who were.
/// None is excepted, since none tells of limits, keys or times.
pub(crate) fn wait_until_empty(server: &Server, patience: Duration) -> Result<()> {
    wait_until_zero(server, patience, |_| true)
}

/// Waits until there is no channel, and no seat that is taken. Clients may be there still.
pub(crate) fn wait_until_no_channel(server: &Server, patience: Duration) -> Result<()> {
    wait_until_zero(server, patience, |gauge| ["signal_channels", "signal_members"].contains(&gauge))
}

fn wait_until_zero(server: &Server, patience: Duration, is_meant: fn(&str) -> bool) -> Result<()> {
    let Some(address) = server.metrics else { return Ok(()) };
    let until = Instant::now() + patience;
    loop {
        let text = ask(address)?;
        let meant: Vec<_> = gauges(&text).into_iter().filter(|gauge| is_meant(gauge.family)).collect();
        // A page that has lost them would be taken for an empty server.
        if !["signal_channels", "signal_members"].iter().all(|name| meant.iter().any(|is| is.family == *name))
        {
            return Err(format!("gauges are missing: {text}").into());
        }
        let left: Vec<_> = meant.iter().filter(|gauge| gauge.value != "0").map(|gauge| gauge.line).collect();
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("not at 0 after {patience:?}: {}", left.join(", ")).into());
        }
        thread::sleep(AGAIN);
    }
}

/// One line of a metric that is a gauge.
#[derive(Debug, PartialEq, Eq)]
struct Gauge<'t> {
    family: &'t str,
    value: &'t str,
    line: &'t str,
}

fn gauges(text: &str) -> Vec<Gauge<'_>> {
    let families: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" gauge")).collect();
    let gauge = |line| {
        let (name, value) = str::rsplit_once(line, ' ')?;
        let family = name.split('{').next()?;
        families.contains(&family).then_some(Gauge { family, value, line })
    };
    text.lines().filter_map(gauge).collect()
}

/// The page at `/metrics`.
pub(crate) fn ask(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, text)) if head.starts_with("HTTP/1.1 200 ") => Ok(text.to_owned()),
        _ => Err(format!("no metrics: {answer}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_told_from_counters() {
        let text = "# HELP a Some.\n# TYPE a gauge\na{state=\"b c\"} 0\na{state=\"d\"} 17\n# TYPE a_total counter\na_total 3\n";
        let told: Vec<_> = gauges(text).into_iter().map(|gauge| (gauge.family, gauge.value)).collect();
        assert_eq!(told, [("a", "0"), ("a", "17")]);
    }
}
