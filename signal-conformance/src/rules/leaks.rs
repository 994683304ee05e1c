//! What is over leaves nothing behind.

use signal_tokio::{Builder, Event, Events, Limits};
use tokio::task::JoinSet;

use super::SHORT;
use crate::{Adapter, client::Heard};

rules! { ($) leaks:
    channels_that_are_empty_are_gone,
    peers_that_have_gone_are_gone,
    a_policy_that_panics_harms_nobody_but_who_has_asked,
    of_one_identity_there_is_one_session_if_it_is_so_wanted,
}

async fn channels_that_are_empty_are_gone(adapter: Adapter) {
    const CHANNELS: usize = 2000;
    const CLIENTS: usize = 4;
    let server = adapter.start().await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut client = server.client().await;
        clients.spawn(async move {
            for channel in (number..CHANNELS).step_by(CLIENTS) {
                client.say(format!(r#"{{"type":"join","channel":"one-shot {channel}"}}"#)).await;
                client.say(format!(r#"{{"type":"part","channel":"one-shot {channel}"}}"#)).await;
                client.expect("joined").await;
                client.expect("parted").await;
                if client.received.is_multiple_of(32) {
                    client.acknowledge().await;
                }
            }
            client
        });
    }
    let clients = clients.join_all().await;
    assert_eq!(server.signaling.channels(), []);
    assert_eq!(server.signaling.peers().len(), CLIENTS);
    for client in clients {
        client.bye().await;
    }
    assert_eq!(server.signaling.peers(), []);
}

async fn peers_that_have_gone_are_gone(adapter: Adapter) {
    let limits = Limits { grace: SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let mut events = server.signaling.events();
    for _ in 0..20 {
        let mut clients = Vec::new();
        for _ in 0..5 {
            let mut client = server.client().await;
            client.join("room").await;
            clients.push(client);
        }
        // One way to go for each.
        let mut clients = clients.into_iter();
        clients.next().unwrap().bye().await;
        clients.next().unwrap().leave().await;
        let mut kicked = clients.next().unwrap();
        server.signaling.kick(&kicked.peer.parse().unwrap());
        kicked.hear_last().await;
        let mut malformed = clients.next().unwrap();
        malformed.say_without_waiting("x".repeat(200 << 10)).await;
        assert_eq!(malformed.hear_until_closed().await.1, Heard::Closed(1009, "too_large".to_owned()));
        drop(clients);
    }
    until_gone(&mut events, 100).await;
    assert_eq!(server.signaling.peers(), []);
    assert_eq!(server.signaling.channels(), []);
}

async fn a_policy_that_panics_harms_nobody_but_who_has_asked(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    client.join("room").await;
    client.say(r#"{"type":"join","channel":"panic"}"#).await;
    client.expect_error("unavailable").await;
    client.say(r#"{"type":"match","pool":"panic"}"#).await;
    client.expect_error("unavailable").await;
    let mut refused = server.socket().await;
    refused.say(r#"{"type":"hello","version":1,"token":"panic"}"#).await;
    refused.expect_error("unavailable").await;
    refused.expect_close(4002, "hello_timeout").await;
    // It is where it was.
    assert_eq!(server.client().await.join("room").await.len(), 1);
}

async fn of_one_identity_there_is_one_session_if_it_is_so_wanted(adapter: Adapter) {
    let server = adapter.start_with(Builder::one_session_per_identity).await;
    let hello = r#"{"type":"hello","version":1,"token":"id ann"}"#;
    let mut witness = server.client().await;
    witness.join("room").await;
    let mut ann = server.welcomed(hello).await;
    ann.join("room").await;
    witness.expect("addPeer").await;
    // One that has a socket is replaced, then one that has none.
    let mut second = server.welcomed(hello).await;
    ann.expect_close(4001, "replaced").await;
    assert_eq!(witness.expect("removePeer").await["reason"], "replaced");
    second.join("room").await;
    witness.expect("addPeer").await;
    let token = second.token.clone();
    second.leave().await;
    let third = server.welcomed(hello).await;
    assert_eq!(witness.expect("removePeer").await["reason"], "replaced");
    assert_eq!(server.resume(&token, 0).await.1["resumed"], false);
    // Others, and who has none, are not touched.
    let bob = server.welcomed(r#"{"type":"hello","version":1,"token":"id bob"}"#).await;
    assert_eq!(server.signaling.kick_identity("id ann"), 1);
    assert_eq!(server.signaling.kick_identity("id ann"), 0);
    drop(third);
    bob.bye().await;
    assert_eq!(witness.hear_all().await, (vec![], None));
}

async fn until_gone(events: &mut Events, mut number: usize) {
    while number > 0 {
        let event = events.next().await.expect("the server lives").expect("no event is missed");
        number -= usize::from(matches!(event, Event::Gone { .. }));
    }
}
