//! What is over leaves nothing behind.

use signal_tokio::{Event, Events, Limits};
use tokio::task::JoinSet;

use super::SHORT;
use crate::{Adapter, client::Heard};

rules! { ($) leaks:
    channels_that_are_empty_are_gone,
    peers_that_have_gone_are_gone,
    a_policy_that_panics_leaves_no_ghost,
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

async fn a_policy_that_panics_leaves_no_ghost(adapter: Adapter) {
    let limits = Limits { grace: SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let mut events = server.signaling.events();
    let mut client = server.client().await;
    client.join("room").await;
    client.say(r#"{"type":"join","channel":"panic"}"#).await;
    until_gone(&mut events, 1).await;
    assert_eq!(server.signaling.channels(), []);
}

async fn until_gone(events: &mut Events, mut number: usize) {
    while number > 0 {
        let event = events.next().await.expect("the server lives").expect("no event is missed");
        number -= usize::from(matches!(event, Event::Gone { .. }));
    }
}
