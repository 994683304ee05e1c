//! The server goes down.

use serde_json::Value;
use signal_tokio::Timing;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Error;

use super::{FOREVER, SHORT};
use crate::{
    Adapter,
    client::{Client, Heard},
    wire::Wire,
};

rules! { ($) drain:
    all_are_asked_to_come_back_later_and_closed,
    what_waits_for_a_client_comes_before,
    nobody_is_let_in_any_more,
    a_socket_without_a_session_is_closed,
    who_does_not_answer_the_close_frame_is_cut_off,
    who_says_hello_at_that_moment_is_closed_too,
}

async fn all_are_asked_to_come_back_later_and_closed(adapter: Adapter) {
    let timing = Timing { reconnect: SHORT, ..Timing::default() };
    let server = adapter.start_with(|builder| builder.timing(timing)).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = server.client().await;
        client.join("room").await;
        clients.push(client);
    }
    // All introductions have arrived, so that nothing else is left to be said.
    for (index, client) in clients.iter_mut().enumerate() {
        for _ in index..19 {
            client.expect("addPeer").await;
        }
    }
    let mut listeners = JoinSet::new();
    clients.into_iter().for_each(|client| drop(listeners.spawn(hear_closing(client))));
    server.signaling.drain(FOREVER).await;
    let delays = listeners.join_all().await;
    assert!(delays.iter().all(|delay| *delay <= 100), "{delays:?}");
    assert!(delays.iter().any(|delay| *delay != delays[0]), "the delays are drawn: {delays:?}");
}

/// After how many milliseconds the client is asked to come back.
async fn hear_closing(mut client: Client) -> u64 {
    let closing = client.expect("closing").await;
    client.expect_close(1001, "draining").await;
    closing["reconnect_after_ms"].as_u64().unwrap()
}

async fn what_waits_for_a_client_comes_before(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    client.join("room").await;
    for number in 0..100 {
        server.signaling.send_to_channel("room", &number).unwrap();
    }
    let (_, (texts, closed)) = tokio::join!(server.signaling.drain(FOREVER), client.hear_last());
    let messages: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let (closing, messages) = messages.split_last().unwrap();
    assert!(
        messages.iter().map(|message| &message["data"]).eq(&(0..100).map(Value::from).collect::<Vec<_>>())
    );
    assert_eq!((&closing["type"], closed), (&"closing".into(), Heard::Closed(1001, "draining".to_owned())));
}

async fn nobody_is_let_in_any_more(adapter: Adapter) {
    let server = adapter.start().await;
    server.signaling.drain(FOREVER).await;
    let refused = server.upgrade(Wire::new(server.connect().await), &[]).await.err().unwrap();
    assert!(matches!(&refused, Error::Http(response) if response.status() == 503), "{refused}");
}

async fn a_socket_without_a_session_is_closed(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut silent, mut undecided) = (server.socket().await, server.socket().await);
    undecided.say(r#"{"type":"hello","version":1,"token":"never"}"#).await;
    tokio::join!(
        server.signaling.drain(FOREVER),
        silent.expect_close(1001, "draining"),
        undecided.expect_close(1001, "draining")
    );
}

async fn who_does_not_answer_the_close_frame_is_cut_off(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut mute, _reads_nothing) = (server.client().await, server.client().await);
    mute.wire().mute = true;
    tokio::join!(server.signaling.drain(FOREVER), hear_closing(mute));
}

async fn who_says_hello_at_that_moment_is_closed_too(adapter: Adapter) {
    for _ in 0..10 {
        let server = adapter.start().await;
        let mut clients = JoinSet::new();
        for _ in 0..10 {
            let mut client = server.socket().await;
            clients.spawn(async move {
                client.say(r#"{"type":"hello","version":1}"#).await;
                client.hear_last().await
            });
        }
        server.signaling.drain(FOREVER).await;
        for (texts, closed) in clients.join_all().await {
            assert_eq!(closed, Heard::Closed(1001, "draining".to_owned()), "{texts:?}");
        }
    }
}
