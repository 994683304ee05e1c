//! A configuration that cannot work is refused when the server is built, never later.

use std::time::Duration;

use signal_tokio::{ConfigError, FrameLimits, IceServer, Limits, Rates, Signaling, SocketLimits, Timing};

#[test]
fn the_defaults_can_be_built() {
    assert!(Signaling::builder().build().is_ok());
}

#[test]
fn bounds_of_nothing_are_refused() {
    let rest = Limits::default;
    for (limits, name) in [
        (Limits { members_per_channel: 0, ..rest() }, "members_per_channel"),
        (Limits { channels_per_peer: 0, ..rest() }, "channels_per_peer"),
        (Limits { channels: 0, ..rest() }, "channels"),
        (Limits { pools: 0, ..rest() }, "pools"),
        (Limits { waiting_per_pool: 0, ..rest() }, "waiting_per_pool"),
        (Limits { waiting_messages: 0, ..rest() }, "waiting_messages"),
        (Limits { authorize_timeout: Duration::ZERO, ..rest() }, "authorize_timeout"),
        (Limits { commit_timeout: Duration::ZERO, ..rest() }, "commit_timeout"),
    ] {
        assert_eq!(Signaling::builder().limits(limits).build().unwrap_err(), ConfigError::Zero(name));
    }
    let rest = Timing::default;
    for (timing, name) in [
        (Timing { hello: Duration::ZERO, ..rest() }, "hello"),
        (Timing { heartbeat: Duration::ZERO, ..rest() }, "heartbeat"),
        (Timing { heartbeat_timeout: Duration::ZERO, ..rest() }, "heartbeat_timeout"),
        (Timing { write: Duration::ZERO, ..rest() }, "write"),
    ] {
        assert_eq!(Signaling::builder().timing(timing).build().unwrap_err(), ConfigError::Zero(name));
    }
    let sockets = SocketLimits { sessions: 0, ..SocketLimits::default() };
    let refused = ConfigError::Zero("the number of sessions");
    assert_eq!(Signaling::builder().socket_limits(sockets).build().unwrap_err(), refused);
    assert!(matches!(Signaling::builder().outbox(0, 1 << 20).build(), Err(ConfigError::Zero(_))));
    assert!(matches!(Signaling::builder().kept_events(0).build(), Err(ConfigError::Zero(_))));
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
    let frames = FrameLimits { message: (128 << 10) + 1, ..FrameLimits::default() };
    assert_eq!(Signaling::builder().frame_limits(frames).build().unwrap_err(), ConfigError::ReadTooSmall);
    let frames = FrameLimits { keys: 0, ..FrameLimits::default() };
    assert!(matches!(Signaling::builder().frame_limits(frames).build(), Err(ConfigError::Zero(_))));
    assert_eq!(Signaling::builder().outbox(1, 1024).build().unwrap_err(), ConfigError::OutboxTooSmall);
}

#[test]
fn what_is_no_url_of_a_stun_or_turn_server_is_refused() {
    let server = IceServer::stun("https://example.org");
    let refused = ConfigError::IceServer("https://example.org".to_owned());
    assert_eq!(Signaling::builder().ice_servers([server]).build().unwrap_err(), refused);
}
