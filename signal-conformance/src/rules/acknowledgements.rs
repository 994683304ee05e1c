//! What both sides say about what has arrived.

use signal_tokio::Timing;

use super::{FOREVER, SHORT};
use crate::{Adapter, server::Server};

rules! { ($) acknowledgements:
    the_server_acknowledges_after_32_frames,
    the_server_acknowledges_after_a_while,
    frames_that_belong_to_the_socket_are_not_counted,
    frames_that_are_no_good_are_counted_unless_they_are_binary,
    an_acknowledgement_of_what_was_never_sent_is_an_error,
    an_acknowledgement_of_less_than_before_is_an_error,
    who_never_acknowledges_is_ended_when_too_much_is_kept,
    who_acknowledges_may_hear_as_much_as_it_likes,
}

const JOIN: &str = r#"{"type":"join","channel":"room"}"#;

async fn the_server_acknowledges_after_32_frames(adapter: Adapter) {
    let mut client = patient(adapter).await.client().await;
    for round in 1..=3 {
        for _ in 0..32 {
            client.say(JOIN).await;
        }
        let mut joined = 0;
        let received = loop {
            let text = client.hear_any_text().await;
            if text.starts_with(r#"{"type":"ack""#) {
                break text;
            }
            joined += 1;
        };
        assert_eq!(received, format!(r#"{{"type":"ack","received":{}}}"#, 32 * round));
        for _ in joined..32 {
            client.expect("joined").await;
        }
    }
}

async fn the_server_acknowledges_after_a_while(adapter: Adapter) {
    let timing = Timing { acknowledge: SHORT, ..Timing::default() };
    let mut client = adapter.start_with(|builder| builder.timing(timing)).await.client().await;
    for received in [1, 2] {
        client.say(JOIN).await;
        client.expect("joined").await;
        assert_eq!(client.expect_ack().await, received);
    }
}

async fn frames_that_belong_to_the_socket_are_not_counted(adapter: Adapter) {
    let server = patient(adapter).await;
    let mut client = server.client().await;
    for _ in 0..40 {
        client.say(r#"{"type":"ping"}"#).await;
        client.say(r#"{"type":"ack","received":0}"#).await;
        assert_eq!(client.hear_any_text().await, r#"{"type":"pong"}"#);
    }
    client.join("room").await;
    assert_eq!(client.received, 1);
    let token = client.token.clone();
    client.leave().await;
    let (_, welcome) = server.resume(&token, 1).await;
    assert_eq!((&welcome["resumed"], &welcome["received"]), (&true.into(), &1.into()));
}

async fn frames_that_are_no_good_are_counted_unless_they_are_binary(adapter: Adapter) {
    let server = patient(adapter).await;
    let mut client = server.client().await;
    for frame in [r#"{"type":"ping","type":"ping"}"#, r#"{"type":"x"}"#, "x", &"x".repeat(65 << 10), JOIN] {
        client.say(frame).await;
        client.hear_text().await;
    }
    client.say_frame(b"x".as_slice().into()).await;
    client.expect_error("bad_message").await;
    let (token, received) = (client.token.clone(), client.received);
    client.leave().await;
    let (_, welcome) = server.resume(&token, received).await;
    assert_eq!((&welcome["resumed"], &welcome["received"]), (&true.into(), &5.into()));
}

async fn an_acknowledgement_of_what_was_never_sent_is_an_error(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    for received in [1, 9_007_199_254_740_991_u64] {
        client.say(format!(r#"{{"type":"ack","id":7,"received":{received}}}"#)).await;
        assert_eq!(client.expect_error("bad_message").await["id"], 7);
        client.acknowledge().await;
    }
    client.join("room").await;
}

async fn an_acknowledgement_of_less_than_before_is_an_error(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    client.join("one").await;
    client.join("two").await;
    client.acknowledge().await;
    client.acknowledge().await;
    client.say(r#"{"type":"ack","received":1}"#).await;
    client.expect_error("bad_message").await;
    assert_eq!(client.hear_all().await, (vec![], None));
}

async fn who_never_acknowledges_is_ended_when_too_much_is_kept(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.outbox(40, 1 << 20)).await;
    let (mut client, mut witness) = (server.client().await, server.client().await);
    witness.join("room").await;
    for _ in 0..40 {
        client.say(r#"{"type":"part","channel":"room"}"#).await;
        client.expect("parted").await;
    }
    client.say(r#"{"type":"part","channel":"room"}"#).await;
    client.expect_close(4008, "overflow").await;
    assert_eq!(server.signaling.peers().len(), 1);
    assert_eq!(witness.hear_all().await, (vec![], None));
}

async fn who_acknowledges_may_hear_as_much_as_it_likes(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.outbox(40, 64 << 10)).await;
    let mut client = server.client().await;
    for _ in 0..500 {
        client.say(r#"{"type":"part","channel":"room"}"#).await;
        client.expect("parted").await;
        if client.received % 32 == 0 {
            client.acknowledge().await;
        }
    }
}

/// A server that acknowledges by number only.
async fn patient(adapter: Adapter) -> Server {
    let timing = Timing { acknowledge: FOREVER, ..Timing::default() };
    adapter.start_with(|builder| builder.timing(timing)).await
}
