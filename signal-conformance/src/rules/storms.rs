//! Many at once.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use signal_tokio::Limits;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    Adapter,
    client::{Client, type_of},
    count,
    server::Server,
};

rules! { ($) storms:
    of_32_that_join_at_the_same_instant_each_pair_is_introduced_once,
    all_introductions_of_a_large_channel_arrive,
    of_ten_that_race_for_a_room_of_two_exactly_two_are_in,
    sockets_that_die_at_the_same_instant_are_forgotten,
    whatever_many_do_at_once_all_get_their_answers_and_nothing_is_left,
}

/// What a peer is told about another: the connection id, and whether it offers.
type Introduction = (String, bool);

async fn of_32_that_join_at_the_same_instant_each_pair_is_introduced_once(adapter: Adapter) {
    const MEMBERS: usize = 32;
    let server = adapter.start().await;
    let mut clients = Vec::new();
    for _ in 0..MEMBERS {
        clients.push(server.client().await);
    }
    for round in 0..count("STORM_ROUNDS", 20) {
        let mut told = BTreeMap::new();
        let barrier = Arc::new(Barrier::new(MEMBERS));
        let mut storm = JoinSet::new();
        for client in clients.drain(..) {
            storm.spawn(join_at_once(client, Arc::clone(&barrier), format!("storm {round}"), MEMBERS));
        }
        while let Some(joined) = storm.join_next().await {
            let (client, introductions) = joined.unwrap();
            for introduction in introductions {
                let (other, introduction) = read(&introduction);
                let twice = told.insert((client.peer.clone(), other), introduction);
                assert_eq!(twice, None, "a pair is introduced twice");
            }
            clients.push(client);
        }
        check_pairs(&told, MEMBERS);
        part(&mut clients, &format!("storm {round}")).await;
    }
}

/// Joins when all are ready, and hears who else is there.
async fn join_at_once(
    mut client: Client,
    barrier: Arc<Barrier>,
    channel: String,
    members: usize,
) -> (Client, Vec<Value>) {
    barrier.wait().await;
    let mut introductions = client.join(&channel).await;
    while introductions.len() < members - 1 {
        introductions.push(client.expect("addPeer").await);
    }
    (client, introductions)
}

/// Parts one after the other, so that nothing of this channel is left to be heard.
async fn part(clients: &mut [Client], channel: &str) {
    for leaving in 0..clients.len() {
        clients[leaving].say(format!(r#"{{"type":"part","channel":"{channel}"}}"#)).await;
        clients[leaving].expect("parted").await;
        for _ in leaving + 1..clients.len() {
            clients[leaving].expect("removePeer").await;
        }
        for staying in &mut clients[leaving + 1..] {
            staying.expect("removePeer").await;
        }
        clients[leaving].acknowledge().await;
    }
}

async fn all_introductions_of_a_large_channel_arrive(adapter: Adapter) {
    let members = count("INTRODUCTIONS", 100);
    let limits = Limits { members_per_channel: members, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let barrier = Arc::new(Barrier::new(members));
    let mut storm = JoinSet::new();
    for _ in 0..members {
        let client = server.client().await;
        storm.spawn(join_at_once(client, Arc::clone(&barrier), "large".to_owned(), members));
    }
    let mut told = BTreeMap::new();
    for (client, introductions) in storm.join_all().await {
        told.extend(introductions.iter().map(read).map(|(other, told)| ((client.peer.clone(), other), told)));
    }
    check_pairs(&told, members);
}

async fn of_ten_that_race_for_a_room_of_two_exactly_two_are_in(adapter: Adapter) {
    const SOCKETS: usize = 10;
    let server = adapter.start().await;
    let mut clients = Vec::new();
    for _ in 0..SOCKETS {
        clients.push(server.client().await);
    }
    for _ in 0..count("CAPACITY_ROUNDS", 50) {
        let barrier = Arc::new(Barrier::new(SOCKETS));
        let mut race = JoinSet::new();
        for mut client in clients.drain(..) {
            let barrier = Arc::clone(&barrier);
            race.spawn(async move {
                barrier.wait().await;
                client.say(r#"{"type":"join","channel":"pair"}"#).await;
                (client.hear_text().await, client)
            });
        }
        let is_seated = |(answer, _): &(String, Client)| answer.starts_with(r#"{"type":"joined""#);
        let (seated, refused): (Vec<_>, Vec<_>) = race.join_all().await.into_iter().partition(is_seated);
        assert_eq!((seated.len(), refused.len()), (2, 8));
        let members = server.signaling.channel("pair").unwrap().members;
        assert_eq!(members.len(), 2);
        assert!(
            seated.iter().all(|(_, client)| members.iter().any(|member| member.peer.as_str() == client.peer))
        );
        // The two leave, and so far nobody has heard of more than the one other.
        for (leaves_first, (_, mut client)) in [true, false].into_iter().zip(seated) {
            client.say(r#"{"type":"part","channel":"pair"}"#).await;
            client.acknowledge().await;
            let (texts, _) = client.hear_all().await;
            let types: Vec<_> = texts.iter().map(|text| type_of(text)).collect();
            let last = if leaves_first { ["parted", "removePeer"] } else { ["removePeer", "parted"] };
            assert_eq!(types, [&["addPeer"], &last[..]].concat());
            clients.push(client);
        }
        for (answer, mut client) in refused {
            assert!(answer.contains(r#""code":"channel_full""#), "{answer}");
            client.acknowledge().await;
            assert_eq!(client.hear_all().await, (vec![], None));
            clients.push(client);
        }
        assert_eq!(server.signaling.channels(), []);
    }
}

async fn sockets_that_die_at_the_same_instant_are_forgotten(adapter: Adapter) {
    let limits = Limits { grace: super::SHORT, members_per_channel: 200, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let mut clients = Vec::new();
    let mut observer = server.client().await;
    observer.join("room").await;
    for _ in 0..100 {
        let mut client = server.client().await;
        client.join("room").await;
        clients.push(client);
    }
    drop(clients);
    for _ in 0..100 {
        observer.expect("addPeer").await;
    }
    for _ in 0..100 {
        assert_eq!(observer.expect("removePeer").await["reason"], "timeout");
    }
    assert_eq!(server.signaling.peers().len(), 1);
}

async fn whatever_many_do_at_once_all_get_their_answers_and_nothing_is_left(adapter: Adapter) {
    let server = Arc::new(adapter.start().await);
    let mut clients = JoinSet::new();
    for seed in 0..16 {
        clients.spawn(do_anything(Arc::clone(&server), seed));
    }
    clients.join_all().await;
    assert_eq!(server.signaling.channels(), []);
    assert_eq!(server.signaling.peers(), []);
}

/// Waits for the answer to everything it does. Most of the time others in the same channels speak meanwhile.
async fn do_anything(server: Arc<Server>, seed: usize) {
    let mut client = server.client().await;
    for step in 0..150 {
        let (what, channel) = ((step * step + 7 * step + 3 * seed) % 11, (step * 5 + seed) % 3);
        let request = match what {
            0..4 => format!(r#"{{"type":"join","id":{step},"channel":"{channel}"}}"#),
            4 => format!(r#"{{"type":"part","id":{step},"channel":"{channel}"}}"#),
            5..8 => format!(r#"{{"type":"send","id":{step},"channel":"{channel}","data":{step}}}"#),
            8 => format!(r#"{{"type":"setUserdata","id":{step},"channel":"{channel}","userdata":{step}}}"#),
            9 => {
                let (token, received) = (client.token.clone(), client.received);
                drop(client);
                client = server.resume(&token, received).await.0;
                assert_eq!(client.received, received, "the session is given back");
                continue;
            }
            _ => {
                client.bye().await;
                client = server.client().await;
                continue;
            }
        };
        client.say(request).await;
        let answer = format!(r#""id":{step},"#);
        let bare_answer = format!(r#""id":{step}}}"#);
        loop {
            let text = client.hear_text().await;
            if client.received.is_multiple_of(16) {
                client.acknowledge().await;
            }
            if text.contains(&answer) || text.contains(&bare_answer) {
                break;
            }
        }
    }
    client.bye().await;
}

fn read(add_peer: &Value) -> (String, Introduction) {
    let other = add_peer["peer_id"].as_str().unwrap().to_owned();
    let connection = add_peer["connection_id"].as_str().unwrap().to_owned();
    (other, (connection, add_peer["should_create_offer"].as_bool().unwrap()))
}

/// Each pair is introduced on both sides, by one connection id, and one of the two offers.
fn check_pairs(told: &BTreeMap<(String, String), Introduction>, members: usize) {
    assert_eq!(told.len(), members * (members - 1));
    for ((one, other), (connection, offers)) in told {
        let (same_connection, other_offers) = &told[&(other.clone(), one.clone())];
        assert_eq!(connection, same_connection);
        assert_ne!(offers, other_offers);
    }
}
