//! Signs of life.

use signal_tokio::{Limits, Timing};

use super::SHORT;
use crate::{Adapter, client::Heard, pair::Pair, server::Server};

rules! { ($) heartbeat:
    who_answers_no_ping_is_closed_and_detached,
    who_answers_pings_stays,
    who_talks_stays_though_it_answers_no_ping,
    a_ping_message_is_answered_by_a_pong_message,
    a_websocket_ping_is_answered,
}

async fn who_answers_no_ping_is_closed_and_detached(adapter: Adapter) {
    let server = hurried(adapter).await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    ann.expect("addPeer").await;
    let bob = tokio::spawn(async move { (bob.hear_text().await, bob) });
    ann.wire().mute = true;
    // Not to the end of the connection: the server waits for an answer to its close frame.
    assert_eq!(ann.hear().await, Heard::Closed(4009, "heartbeat".to_owned()));
    let (mut again, welcome) = server.resume(&ann.token, ann.received).await;
    assert_eq!(welcome["resumed"], true);
    // Now it goes for good.
    again.wire().mute = true;
    assert_eq!(again.hear().await, Heard::Closed(4009, "heartbeat".to_owned()));
    let (removed, _) = bob.await.unwrap();
    assert!(
        removed.contains(r#""type":"removePeer""#) && removed.contains(r#""reason":"timeout""#),
        "{removed}"
    );
}

async fn who_answers_pings_stays(adapter: Adapter) {
    let server = hurried(adapter).await;
    let mut client = server.client().await;
    let peer = client.peer.parse().unwrap();
    let idle = tokio::spawn(async move {
        assert!(client.hear_text().await.contains(r#""data":"are you there""#));
        client
    });
    for _ in 0..3 {
        a_heartbeat_without_answer(&server).await;
    }
    server.signaling.send_to_peer(&peer, &"are you there").unwrap();
    idle.await.unwrap().join("room").await;
}

async fn who_talks_stays_though_it_answers_no_ping(adapter: Adapter) {
    let server = hurried(adapter).await;
    let mut pair = Pair::join(&server).await;
    pair.answer_no_pings();
    let mut clock = server.client().await;
    clock.wire().mute = true;
    let clock = tokio::spawn(async move { clock.hear().await });
    while !clock.is_finished() {
        pair.exchange().await;
    }
    assert_eq!(clock.await.unwrap(), Heard::Closed(4009, "heartbeat".to_owned()));
    pair.exchange().await;
}

async fn a_ping_message_is_answered_by_a_pong_message(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    for _ in 0..3 {
        client.say(r#"{"type":"ping","id":1}"#).await;
        assert_eq!(client.hear_any_text().await, r#"{"type":"pong"}"#);
    }
}

async fn a_websocket_ping_is_answered(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    client.ping("are you there").await;
}

/// A server with a short heartbeat, which gives up a session soon after its socket.
async fn hurried(adapter: Adapter) -> Server {
    let timing = Timing { heartbeat: 2 * SHORT, heartbeat_timeout: 5 * SHORT, ..Timing::default() };
    let limits = Limits { grace: 5 * SHORT, ..Limits::default() };
    adapter.start_with(|builder| builder.timing(timing).limits(limits)).await
}

/// Waits until a client has been closed that does not answer.
async fn a_heartbeat_without_answer(server: &Server) {
    let mut client = server.client().await;
    client.wire().mute = true;
    assert_eq!(client.hear().await, Heard::Closed(4009, "heartbeat".to_owned()));
}
