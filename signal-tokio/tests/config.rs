//! A configuration that cannot work is refused when the server is built, never later.

use std::time::Duration;

use signal_tokio::{ConfigError, FrameLimits, IceServer, Limits, Rates, Signaling, SocketLimits, Timing};

#[test]
fn the_defaults_can_be_built() {
    assert!(Signaling::builder().build().is_ok());
}

#[test]
fn bounds_of_nothing_are_refused() {
    let limits = Limits { pools: 0, ..Limits::default() };
    assert_eq!(Signaling::builder().limits(limits).build().unwrap_err(), ConfigError::Zero("pools"));
    let sockets = SocketLimits { per_address: 0, ..SocketLimits::default() };
    let refused = ConfigError::Zero("the number of sockets of an address");
    assert_eq!(Signaling::builder().socket_limits(sockets).build().unwrap_err(), refused);
    let rates = Rates { burst: 0, ..Rates::default() };
    let refused = ConfigError::Zero("the number of messages at once");
    assert_eq!(Signaling::builder().rates(rates).build().unwrap_err(), refused);
}

#[test]
fn times_without_end_are_refused() {
    let limits = Limits { rematch: Duration::MAX, ..Limits::default() };
    assert_eq!(Signaling::builder().limits(limits).build().unwrap_err(), ConfigError::TooLong("rematch"));
    let timing = Timing { heartbeat: Duration::MAX, ..Timing::default() };
    assert_eq!(Signaling::builder().timing(timing).build().unwrap_err(), ConfigError::TooLong("heartbeat"));
}

#[test]
fn frames_that_nobody_could_read_are_refused() {
    let frames = FrameLimits { depth: 65, ..FrameLimits::default() };
    assert_eq!(Signaling::builder().frame_limits(frames).build().unwrap_err(), ConfigError::TooDeep);
    assert_eq!(Signaling::builder().outbox(1, 1024).build().unwrap_err(), ConfigError::OutboxTooSmall);
}

#[test]
fn what_is_no_url_of_a_stun_or_turn_server_is_refused() {
    let server = IceServer::stun("https://example.org");
    let refused = ConfigError::IceServer("https://example.org".to_owned());
    assert_eq!(Signaling::builder().ice_servers([server]).build().unwrap_err(), refused);
}
