//! Each error and each close that the protocol has can be had, and is as it is written there.

use std::collections::BTreeSet;

use signal_tokio::{CloseReason, ErrorCode, Limits, Rates, Timing};

use super::{FOREVER, SHORT};
use crate::{
    Adapter,
    client::{Client, Heard},
    server::Server,
};

rules! { ($) outcomes:
    each_error_has_a_cause,
    each_close_has_a_cause,
}

async fn each_error_has_a_cause(adapter: Adapter) {
    let limits = Limits { channels_per_peer: 2, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let (mut ann, mut bob, mut cid) = (server.client().await, server.client().await, server.client().await);
    ann.join("pair").await;
    bob.join("pair").await;
    ann.expect("addPeer").await;
    let stale = format!(
        r#"{{"type":"relayICECandidate","peer_id":"{}","ice_candidate":null,"connection_id":"x.1"}}"#,
        bob.peer
    );
    let too_large = format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(64 << 10));
    let mut seen = BTreeSet::new();
    for (code, request) in [
        ("bad_message", "rubbish"),
        ("too_large", &too_large),
        ("unknown_type", r#"{"type":"rubbish"}"#),
        ("unauthorized", r#"{"type":"join","channel":"refused"}"#),
        ("unknown_peer", r#"{"type":"send","peer_id":"nobody","data":0}"#),
        ("stale_connection", &stale),
        ("not_joined", r#"{"type":"send","channel":"elsewhere","data":0}"#),
        ("unavailable", r#"{"type":"join","channel":"unavailable"}"#),
    ] {
        ann.say(request).await;
        ann.expect_error(code).await;
        seen.insert(code);
    }
    cid.say(r#"{"type":"join","channel":"pair"}"#).await;
    cid.expect_error("channel_full").await;
    seen.insert("channel_full");
    ann.join("room").await;
    ann.say(r#"{"type":"join","channel":"another"}"#).await;
    ann.expect_error("limit").await;
    seen.insert("limit");
    let mut future = server.socket().await;
    future.say(r#"{"type":"hello","version":2}"#).await;
    future.expect_error("unsupported_version").await;
    seen.insert("unsupported_version");
    assert_eq!(seen, ErrorCode::ALL.map(ErrorCode::as_str).into_iter().collect());
}

async fn each_close_has_a_cause(adapter: Adapter) {
    let server = adapter.start().await;
    let mut seen = BTreeSet::new();
    for (reason, said) in [
        (CloseReason::HelloTimeout, r#"{"type":"hello","version":1,"token":"unavailable"}"#),
        (CloseReason::Unauthorized, r#"{"type":"hello","version":1,"token":"refused"}"#),
        (CloseReason::UnsupportedVersion, r#"{"type":"hello","version":0}"#),
        (CloseReason::Protocol, "rubbish"),
    ] {
        let mut client = server.socket().await;
        client.say(said).await;
        seen.insert(closed(&mut client, reason).await);
    }
    let mut client = server.client().await;
    client.say(r#"{"type":"bye"}"#).await;
    seen.insert(closed(&mut client, CloseReason::Bye).await);
    let mut client = server.client().await;
    client.say_without_waiting("x".repeat(200 << 10)).await;
    seen.insert(closed(&mut client, CloseReason::TooLarge).await);
    let mut client = server.client().await;
    assert!(server.signaling.kick(&client.peer.parse().unwrap()));
    seen.insert(closed(&mut client, CloseReason::Kicked).await);
    let mut client = server.client().await;
    let _successor = server.resume(&client.token, 0).await;
    seen.insert(closed(&mut client, CloseReason::Replaced).await);
    let mut client = server.client().await;
    let draining = server.signaling.drain(FOREVER);
    let ((), reason) = tokio::join!(draining, closed(&mut client, CloseReason::Draining));
    seen.insert(reason);

    let timing = Timing { heartbeat: SHORT, heartbeat_timeout: SHORT, ..Timing::default() };
    let server = adapter.start_with(|builder| builder.timing(timing)).await;
    let mut client = server.client().await;
    client.wire().mute = true;
    seen.insert(closed(&mut client, CloseReason::Heartbeat).await);
    let rates = Rates { messages: 1, burst: 2, patience: SHORT, ..Rates::default() };
    let server = adapter.start_with(|builder| builder.rates(rates)).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"ping"}"#).await;
    client.say(r#"{"type":"ping"}"#).await;
    seen.insert(closed(&mut client, CloseReason::Rate).await);
    let server = adapter.start_with(|builder| builder.outbox(1, 64 << 10)).await;
    let mut client = server.client().await;
    // No task has its turn between the two.
    send(&server, &client, 2);
    seen.insert(closed(&mut client, CloseReason::Overflow).await);
    let timing = Timing { write: SHORT, hello: 5 * SHORT, farewell: FOREVER, ..Timing::default() };
    let server = adapter.start_narrow_with(|builder| builder.timing(timing)).await;
    let mut client = server.narrow_socket().await;
    client.say(r#"{"type":"hello","version":1}"#).await;
    client.read_welcome().await;
    send(&server, &client, 100);
    // It reads nothing for longer than the server writes to it.
    server.socket().await.expect_close(4002, "hello_timeout").await;
    seen.insert(closed(&mut client, CloseReason::Slow).await);
    assert_eq!(seen, CloseReason::ALL.map(CloseReason::as_str).into_iter().collect());
}

/// Reads to the close frame, which must be that of the protocol.
async fn closed(client: &mut Client, reason: CloseReason) -> &'static str {
    let (_, closed) = client.hear_until_closed().await;
    assert_eq!(closed, Heard::Closed(reason.code(), reason.as_str().to_owned()));
    reason.as_str()
}

/// Sends so many messages of 1 KiB at once, of which the last may be too many.
fn send(server: &Server, client: &Client, number: usize) {
    let peer = client.peer.parse().unwrap();
    for _ in 0..number {
        server.signaling.send_to_peer(&peer, &"x".repeat(1 << 10)).unwrap();
    }
}
