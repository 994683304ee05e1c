//! Nothing is lost and nothing comes twice when sockets are.

use std::collections::VecDeque;

use serde_json::Value;

use crate::{Adapter, server::Server, session::Session};

rules! { ($) resume:
    what_was_not_received_is_sent_again_in_order,
    what_was_acknowledged_is_not_sent_again,
    what_comes_for_a_detached_session_waits_for_it,
    answers_wait_too,
    each_message_arrives_once_and_in_order_wherever_sockets_are_cut,
}

async fn what_was_not_received_is_sent_again_in_order(adapter: Adapter) {
    let server = adapter.start().await;
    for received in 0..=4 {
        let mut client = server.client().await;
        let channels = ["a", "b", "c", "d"];
        for channel in channels {
            client.join(channel).await;
        }
        let token = client.token.clone();
        drop(client);
        let (mut client, welcome) = server.resume(&token, received).await;
        assert_eq!((&welcome["resumed"], &welcome["received"]), (&true.into(), &4.into()));
        for channel in &channels[usize::try_from(received).unwrap()..] {
            assert_eq!(client.expect("joined").await["channel"], *channel);
        }
        assert_eq!(client.hear_all().await, (vec![], None));
        client.bye().await;
    }
}

async fn what_was_acknowledged_is_not_sent_again(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    for channel in ["a", "b", "c", "d"] {
        client.join(channel).await;
    }
    client.say(r#"{"type":"ack","received":3}"#).await;
    client.say(r#"{"type":"ping"}"#).await;
    client.expect("pong").await;
    let token = client.token.clone();
    drop(client);
    let (mut client, _) = server.resume(&token, 3).await;
    assert_eq!(client.expect("joined").await["channel"], "d");
    assert_eq!(client.hear_all().await, (vec![], None));
}

async fn what_comes_for_a_detached_session_waits_for_it(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    bob.join("room").await;
    ann.join("room").await;
    bob.expect("addPeer").await;
    let (token, received) = (ann.token.clone(), ann.received);
    let to_ann = ann.peer.clone();
    ann.leave().await;
    for number in 0..100 {
        bob.say(format!(r#"{{"type":"send","id":{number},"peer_id":"{to_ann}","data":{number}}}"#)).await;
        assert_eq!(bob.expect("ok").await["id"], number);
    }
    bob.say(r#"{"type":"part","channel":"room"}"#).await;
    let (mut ann, _) = server.resume(&token, received).await;
    for number in 0..100 {
        assert_eq!(ann.expect("message").await["data"], number);
    }
    ann.expect("removePeer").await;
}

async fn answers_wait_too(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    for id in 0..10 {
        client.say(format!(r#"{{"type":"part","id":{id},"channel":"room"}}"#)).await;
    }
    let token = client.token.clone();
    // All has arrived when the server has closed its side.
    client.leave().await;
    let (mut client, welcome) = server.resume(&token, 0).await;
    assert_eq!(welcome["received"], 10);
    for id in 0..10 {
        assert_eq!(client.expect("parted").await["id"], id);
    }
}

async fn each_message_arrives_once_and_in_order_wherever_sockets_are_cut(adapter: Adapter) {
    const MESSAGES: u64 = 400;
    let server = adapter.start().await;
    let mut ann = Session::open(&server, cuts(1)).await;
    let mut bob = Session::open(&server, cuts(2)).await;
    meet(&mut ann, &mut bob).await;
    let (to_ann, to_bob) = (ann.peer().to_owned(), bob.peer().to_owned());
    for number in 0..MESSAGES {
        ann.say(format!(r#"{{"type":"send","peer_id":"{to_bob}","data":{number}}}"#)).await;
        bob.say(format!(r#"{{"type":"send","peer_id":"{to_ann}","data":{number}}}"#)).await;
        // Now and then they listen, so that sockets are lost with much and with little under way.
        if number % 16 == 15 {
            for number in number - 15..=number {
                assert_eq!(data(&ann.hear().await), number);
                assert_eq!(data(&bob.hear().await), number);
            }
        }
    }
    assert!(ann.resumed > 20 && bob.resumed > 20, "{} {}", ann.resumed, bob.resumed);
    nothing_else(&server, ann, bob).await;
}

async fn meet(ann: &mut Session<'_>, bob: &mut Session<'_>) {
    ann.say(r#"{"type":"join","channel":"room"}"#.to_owned()).await;
    assert!(ann.hear().await.starts_with(r#"{"type":"joined""#));
    bob.say(r#"{"type":"join","channel":"room"}"#.to_owned()).await;
    assert!(bob.hear().await.starts_with(r#"{"type":"joined""#));
    assert!(bob.hear().await.starts_with(r#"{"type":"addPeer""#));
    assert!(ann.hear().await.starts_with(r#"{"type":"addPeer""#));
}

/// After the last numbered message comes what is asked for last, and nobody has been removed.
async fn nothing_else(server: &Server, mut ann: Session<'_>, mut bob: Session<'_>) {
    for session in [&mut ann, &mut bob] {
        session.say(r#"{"type":"part","id":"last","channel":"elsewhere"}"#.to_owned()).await;
        assert!(session.hear().await.starts_with(r#"{"type":"parted","id":"last""#));
    }
    assert_eq!(server.signaling.channel("room").unwrap().members.len(), 2);
}

fn data(message: &str) -> u64 {
    let message: Value = serde_json::from_str(message).unwrap();
    message["data"].as_u64().unwrap_or_else(|| panic!("a numbered message is expected, not {message}"))
}

/// After how many bytes sockets are lost: within the upgrade, within `welcome`, within a frame, between frames.
fn cuts(seed: usize) -> VecDeque<(usize, usize)> {
    let scatter = |index: usize, step: usize, most: usize| 20 + (index * step + seed * 101) % most;
    (1..=120).map(|index| (scatter(index, 331, 1900), scatter(index, 577, 2300))).collect()
}
