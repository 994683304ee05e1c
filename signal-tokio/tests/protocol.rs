//! The defaults that `docs/protocol.md` tells are those of the driver.

use std::time::Duration;

use signal_tokio::{Admission, HttpLimits, Limits, MatchGrant, Rates, Signaling, SocketLimits, Timing, head};

const PROTOCOL: &str = include_str!("../../docs/protocol.md");

/// The second and third cell of a row of section 15.
fn row(what: &str) -> (&'static str, &'static str) {
    let bounds = PROTOCOL.split_once("\n## 15 ").expect("there is a section 15").1;
    let bounds = bounds.split_once("\n## ").expect("another one follows").0;
    let start = format!("| {what} | ");
    let row = bounds.lines().find_map(|line| line.strip_prefix(&start));
    let cells = row.unwrap_or_else(|| panic!("{what} is not listed")).trim_end_matches('|');
    let (bound, outcome) = cells.split_once(" |").expect("three cells");
    (bound, outcome.trim())
}

/// A number with a comma before each three digits.
fn in_groups(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits"));
    groups.collect::<Vec<_>>().join(",")
}

fn seconds(time: Duration) -> String {
    format!("{} s *", time.as_secs())
}

#[test]
fn sockets_and_sessions() {
    let SocketLimits { all, sessions, per_address, new_per_second, burst, loopback } =
        SocketLimits::default();
    assert!(!loopback);
    assert_eq!(row("sockets of one server").0, in_groups(all) + " *");
    assert_eq!(row("sessions of one server, detached ones included").0, in_groups(sessions) + " *");
    assert_eq!(row("sockets of one address (of IPv6 the first 64 bits)").0, in_groups(per_address) + " *");
    let pace = format!("{new_per_second} a second, {} at once *", in_groups(burst as usize));
    assert_eq!(row("new sockets of one address").0, pace);
    assert_eq!(row("`identity`").0, format!("{} bytes", Admission::LONGEST_IDENTITY));
}

#[test]
fn heads() {
    let HttpLimits { head_timeout, head_bytes, connections } = HttpLimits::default();
    let bound = format!("{} KiB *, {} header fields", head_bytes >> 10, head::MOST_FIELDS);
    assert_eq!(row("head of a request").0, bound);
    assert_eq!(row("connections that are no WebSockets").0, in_groups(connections) + " *");
    let time = row("head of a request, from the connection or the answer before").0;
    assert_eq!(time, format!("{} s *", head_timeout.as_secs()));
}

#[test]
fn rates() {
    let Rates {
        messages,
        burst,
        bytes,
        burst_bytes,
        introduction_messages,
        introduction_bytes,
        introductions,
        introductions_per_second,
        patience,
    } = Rates::default();
    let (bound, outcome) = row("messages of a session");
    assert_eq!(bound, format!("{messages} a second, {burst} at once *"));
    assert!(outcome.contains(&format!("after {} without a break", seconds(patience))), "{outcome}");
    let bound = format!("{} KiB a second, {} MiB at once *", bytes >> 10, burst_bytes >> 20);
    assert_eq!(row("bytes of messages of a session").0, bound);
    let bound = format!("{introduction_messages} messages, {} KiB *", introduction_bytes >> 10);
    assert_eq!(row("what an `addPeer` adds to that").0, bound);
    let bound =
        format!("{} at once, then {introductions_per_second} a second *", in_groups(introductions as usize));
    assert_eq!(row("`addPeer` that add something").0, bound);
}

#[test]
fn times() {
    let timing = Timing::default();
    assert_eq!(row("`hello` after the upgrade").0, seconds(timing.hello));
    assert_eq!(row("decision of the policy").0, seconds(timing.hello));
    let silence = format!("{} s; {}", timing.heartbeat.as_secs(), seconds(timing.heartbeat_timeout));
    assert_eq!(row("silence before a WebSocket ping; after it").0, silence);
    assert_eq!(row("socket that does not take what is written").0, seconds(timing.write));
    assert_eq!(row("until a client has answered a close frame").0, seconds(timing.farewell));
    assert_eq!(timing.token_life, Duration::from_secs(7 * 24 * 3600));
    assert_eq!(row("token and seat of an earlier start").0, "a week *");
    assert!(timing.reconnect < Limits::default().returning, "they come back while their seats are kept");
    assert_eq!(MatchGrant::default().patience, Duration::from_secs(5 * 60));
    assert_eq!(row("waiting in a pool").0, "5 min *, at most a day");
}

#[test]
fn what_is_kept_for_a_session() {
    let defaults = format!("{:?}", Signaling::builder());
    let default = |name: &str| {
        let value = defaults.split_once(&format!("{name}: ")).expect("it is configured").1;
        value.split([',', ' ', '}']).next().and_then(|value| value.parse().ok()).expect("a number")
    };
    let (messages, bytes): (usize, usize) = (default("outbox_messages"), default("outbox_bytes"));
    assert_eq!(
        row("frames kept for a session").0,
        format!("{} and {} KiB *", in_groups(messages), bytes >> 10)
    );
    let resumes = row("resumes in a row without having received anything more").0;
    assert_eq!(resumes, format!("{} *", default("futile_resumes")));
}
