//! Bounds that no other theme has: what is told when they are reached, and that they can be set.

use std::time::Duration;

use signal_tokio::{Admission, FrameLimits, Limits, Readiness, SocketLimits};

use crate::{Adapter, client::Heard, policy::WORDY, server::Server};

rules! { ($) bounds:
    a_server_has_so_many_sessions_and_no_more,
    who_has_a_session_gets_it_back_though_there_are_too_many,
    a_smaller_message_may_be_the_largest,
    a_larger_message_may_be_the_largest,
    a_long_refusal_is_cut_between_two_characters,
    an_identity_has_so_many_bytes_and_no_more,
}

async fn with_two_sessions(adapter: Adapter) -> Server {
    let sockets = SocketLimits { sessions: 2, ..SocketLimits::default() };
    let limits = Limits { grace: Duration::from_secs(3600), ..Limits::default() };
    adapter.start_with(|builder| builder.socket_limits(sockets).limits(limits)).await
}

/// A `hello` that needs a new session, and gets none.
async fn is_turned_away(server: &Server, hello: &str) {
    let mut client = server.socket().await;
    client.say(hello).await;
    assert_eq!(client.expect_error("unavailable").await["message"], "There are too many sessions.");
    client.expect_close(4002, "hello_timeout").await;
}

async fn a_server_has_so_many_sessions_and_no_more(adapter: Adapter) {
    const HELLO: &str = r#"{"type":"hello","version":1}"#;
    let server = with_two_sessions(adapter).await;
    let (one, mut two) = (server.client().await, server.client().await);
    // One that waits for a socket is one, too.
    one.leave().await;
    is_turned_away(&server, HELLO).await;
    assert_eq!(server.signaling.readiness(), Readiness::Full);
    // Whoever is there does not notice.
    two.join("room").await;
    two.bye().await;
    assert_eq!(server.signaling.readiness(), Readiness::Ready);
    let three = server.client().await;
    is_turned_away(&server, HELLO).await;
    // A reloaded page clears away what it has left, and takes its place.
    let token = three.token.clone();
    three.leave().await;
    server.welcomed(&format!(r#"{{"type":"hello","version":1,"replaces":"{token}"}}"#)).await;
}

async fn who_has_a_session_gets_it_back_though_there_are_too_many(adapter: Adapter) {
    let server = with_two_sessions(adapter).await;
    let (one, _two) = (server.client().await, server.client().await);
    let (token, received) = (one.token.clone(), one.received);
    one.leave().await;
    let (one, welcome) = server.resume(&token, received).await;
    assert_eq!(welcome["resumed"], true);
    // Also by another socket at the same time.
    assert_eq!(server.resume(&one.token, received).await.1["resumed"], true);
    // A token that is worth nothing needs a new session.
    is_turned_away(&server, r#"{"type":"hello","version":1,"resume":{"token":"x","received":0}}"#).await;
}

/// An app message of this size for the channel.
fn message_of(size: usize) -> String {
    let (start, end) = (r#"{"type":"send","channel":"room","data":""#, r#""}"#);
    format!("{start}{}{end}", "d".repeat(size - start.len() - end.len()))
}

async fn with_messages_of(adapter: Adapter, message: usize, read: usize) -> Server {
    let frames = FrameLimits { message, read, ..FrameLimits::default() };
    adapter.start_with(|builder| builder.frame_limits(frames).outbox(1024, 2 * read)).await
}

/// Messages are passed on, answered and not read as these two bounds say.
async fn check_messages(server: &Server, message: usize, read: usize) {
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    ann.expect("addPeer").await;
    ann.say(message_of(message)).await;
    assert!(bob.hear_text().await.len() > message - 100);
    for size in [message + 1, read] {
        ann.say(message_of(size)).await;
        ann.expect_error("too_large").await;
    }
    ann.say_without_waiting(message_of(read + 1)).await;
    assert_eq!(ann.hear().await, Heard::Closed(1009, "too_large".to_owned()));
    assert_eq!(bob.expect("removePeer").await["reason"], "closed");
}

async fn a_smaller_message_may_be_the_largest(adapter: Adapter) {
    let server = with_messages_of(adapter, 1 << 10, 3 << 10).await;
    check_messages(&server, 1 << 10, 3 << 10).await;
}

async fn a_larger_message_may_be_the_largest(adapter: Adapter) {
    let server = with_messages_of(adapter, 1 << 20, 3 << 19).await;
    check_messages(&server, 1 << 20, 3 << 19).await;
}

async fn a_long_refusal_is_cut_between_two_characters(adapter: Adapter) {
    // One byte and then pairs of them: of 1,024 bytes the last is half of a character.
    let cut = &WORDY[..1023];
    let server = adapter.start().await;
    let upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    let headers = [&upgrade[..], &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X-Ask: wordy"]].concat();
    let (status, answer) = server.http("GET /signal HTTP/1.1", &headers).await;
    assert_eq!((status, answer.split_once("\r\n\r\n").unwrap().1), (403, cut));
    let mut client = server.socket().await;
    client.say(r#"{"type":"hello","version":1,"token":"wordy"}"#).await;
    assert_eq!(client.expect_error("unauthorized").await["message"], cut);
    let mut client = server.client().await;
    for request in [r#"{"type":"join","channel":"wordy"}"#, r#"{"type":"match","pool":"wordy"}"#] {
        client.say(request).await;
        assert_eq!(client.expect_error("unauthorized").await["message"], cut);
    }
}

async fn an_identity_has_so_many_bytes_and_no_more(adapter: Adapter) {
    let server = adapter.start().await;
    let hello = |bytes: usize| {
        let identity = format!("id {}", "x".repeat(bytes - 3));
        format!(r#"{{"type":"hello","version":1,"token":"{identity}"}}"#)
    };
    server.welcomed(&hello(Admission::LONGEST_IDENTITY)).await;
    let mut client = server.socket().await;
    client.say(hello(Admission::LONGEST_IDENTITY + 1)).await;
    client.expect_error("unauthorized").await;
    client.expect_close(4003, "unauthorized").await;
}
