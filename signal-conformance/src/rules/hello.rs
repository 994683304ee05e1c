//! The first messages on a socket.

use expect_test::expect;
use signal_tokio::IceServer;
use tokio_tungstenite::tungstenite::Message;

use super::short_hello;
use crate::{Adapter, client::Heard};

rules! { ($) hello:
    who_says_hello_is_welcomed,
    ids_and_tokens_are_unguessable_and_differ,
    who_says_nothing_is_closed,
    pings_are_not_a_hello,
    another_version_is_not_spoken,
    anything_before_hello_closes_the_socket,
    a_frame_that_is_too_large_to_read_closes_the_socket_before_hello,
    a_second_hello_is_an_error,
    what_is_said_right_after_hello_is_answered_after_welcome,
    the_policy_may_refuse,
    the_policy_may_be_unavailable,
    the_policy_may_take_its_time,
    the_policy_has_to_decide_in_time,
    who_goes_before_hello_leaves_nothing_behind,
}

const HELLO: &str = r#"{"type":"hello","version":1}"#;

async fn who_says_hello_is_welcomed(adapter: Adapter) {
    let turn = IceServer {
        urls: vec!["turn:turn.example.org".to_owned(), "turns:turn.example.org".to_owned()],
        username: Some("ann".to_owned()),
        credential: Some("secret".to_owned()),
    };
    let servers = [IceServer::stun("stun:stun.example.org:3478"), turn];
    let server = adapter.start_with(|builder| builder.ice_servers(servers)).await;
    let mut client = server.socket().await;
    client.say(HELLO).await;
    let Heard::Text(welcome) = client.hear().await else { panic!("no welcome") };
    let ids = serde_json::from_str::<serde_json::Value>(&welcome).unwrap();
    let welcome = welcome
        .replace(ids["peer_id"].as_str().unwrap(), "PEER")
        .replace(ids["resume"]["token"].as_str().unwrap(), "TOKEN");
    expect![[r#"{"type":"welcome","peer_id":"PEER","resumed":false,"received":0,"resume":{"token":"TOKEN","grace_ms":15000},"ice_servers":[{"urls":["stun:stun.example.org:3478"]},{"urls":["turn:turn.example.org","turns:turn.example.org"],"username":"ann","credential":"secret"}],"heartbeat_ms":20000}"#]].assert_eq(&welcome);
}

async fn ids_and_tokens_are_unguessable_and_differ(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, bob) = (server.client().await, server.client().await);
    assert!(ann.peer != bob.peer && ann.token != bob.token && ann.peer != ann.token);
    // 128 bits as base64url; a token has a signature of so many bits, and what is signed.
    assert_eq!(ann.peer.len(), 22);
    assert!(ann.token.len() > 2 * 22 && ann.token.len() <= 256);
    for secret in [&ann.peer, &ann.token] {
        assert!(secret.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)));
    }
}

async fn who_says_nothing_is_closed(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.timing(short_hello())).await;
    server.socket().await.expect_close(4002, "hello_timeout").await;
}

async fn pings_are_not_a_hello(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.timing(short_hello())).await;
    let mut client = server.socket().await;
    client.say_frame(Message::Ping("x".into())).await;
    client.expect_close(4002, "hello_timeout").await;
}

async fn another_version_is_not_spoken(adapter: Adapter) {
    let server = adapter.start().await;
    for version in [0, 2, u32::MAX] {
        let mut client = server.socket().await;
        client.say(format!(r#"{{"type":"hello","id":7,"version":{version}}}"#)).await;
        assert_eq!(client.expect_error("unsupported_version").await["id"], 7);
        client.expect_close(4006, "unsupported_version").await;
    }
}

async fn anything_before_hello_closes_the_socket(adapter: Adapter) {
    let server = adapter.start().await;
    let frames = [
        (r#"{"type":"join","channel":"room"}"#, "bad_message"),
        (r#"{"type":"ping"}"#, "bad_message"),
        (r#"{"type":"bye"}"#, "bad_message"),
        (r#"{"type":"ack","received":0}"#, "bad_message"),
        (r#"{"type":"hello"}"#, "bad_message"),
        (r#"{"type":"hello","version":"1"}"#, "bad_message"),
        (r#"{"type":"greet"}"#, "unknown_type"),
        ("not json", "bad_message"),
        ("", "bad_message"),
    ];
    for (frame, code) in frames {
        let mut client = server.socket().await;
        client.say(frame).await;
        client.expect_error(code).await;
        client.expect_close(4005, "protocol").await;
    }
    let mut client = server.socket().await;
    client.say_frame(Message::binary(HELLO.as_bytes())).await;
    client.expect_error("bad_message").await;
    client.expect_close(4005, "protocol").await;
    let mut client = server.socket().await;
    client.say(r#"{"type":"join","id":"x","channel":"room"}"#).await;
    assert_eq!(client.expect_error("bad_message").await["id"], "x");
}

async fn a_frame_that_is_too_large_to_read_closes_the_socket_before_hello(adapter: Adapter) {
    let mut client = adapter.start().await.socket().await;
    client.say("x".repeat((128 << 10) + 1)).await;
    client.expect_close(1009, "too_large").await;
}

async fn a_second_hello_is_an_error(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    client.say(HELLO).await;
    client.expect_error("bad_message").await;
    client.say(r#"{"type":"ping"}"#).await;
    client.expect("pong").await;
}

async fn what_is_said_right_after_hello_is_answered_after_welcome(adapter: Adapter) {
    let mut client = adapter.start().await.socket().await;
    for frame in [HELLO, r#"{"type":"join","channel":"room"}"#, r#"{"type":"part","channel":"room"}"#] {
        client.say(frame).await;
    }
    for answer in ["welcome", "joined", "parted"] {
        client.expect(answer).await;
    }
}

async fn the_policy_may_refuse(adapter: Adapter) {
    let mut client = adapter.start().await.socket().await;
    client.say(r#"{"type":"hello","id":7,"version":1,"token":"refused"}"#).await;
    let error = client.expect_error("unauthorized").await;
    assert_eq!((&error["message"], &error["id"]), (&"Not you.".into(), &7.into()));
    client.expect_close(4003, "unauthorized").await;
}

async fn the_policy_may_be_unavailable(adapter: Adapter) {
    let mut client = adapter.start().await.socket().await;
    client.say(r#"{"type":"hello","version":1,"token":"unavailable"}"#).await;
    assert_eq!(client.expect_error("unavailable").await["message"], "The database is away.");
    client.expect_close(4002, "hello_timeout").await;
}

async fn the_policy_may_take_its_time(adapter: Adapter) {
    let server = adapter.start().await;
    server.welcomed(r#"{"type":"hello","version":1,"token":"later"}"#).await;
}

async fn the_policy_has_to_decide_in_time(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.timing(short_hello())).await;
    let mut client = server.socket().await;
    client.say(r#"{"type":"hello","version":1,"token":"never"}"#).await;
    client.expect_error("unavailable").await;
    client.expect_close(4002, "hello_timeout").await;
    assert_eq!(server.signaling.peers(), []);
}

async fn who_goes_before_hello_leaves_nothing_behind(adapter: Adapter) {
    let server = adapter.start().await;
    drop(server.socket().await);
    server.socket().await.leave().await;
    assert_eq!(server.signaling.peers(), []);
}
