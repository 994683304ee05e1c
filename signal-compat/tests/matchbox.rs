//! Clients of matchbox, as far as the wire tells.

mod common;

use std::collections::BTreeSet;

use common::{Client, Guests, Server};
use serde_json::{Value, json};
use signal_axum::{Limits, Rates, Signaling};

async fn join(server: &Server, path: &str) -> (Client, String) {
    let mut client = server.connect(path).await;
    let id = client.hear().await["IdAssigned"].as_str().expect("an id").to_owned();
    assert_eq!(uuid(&id), Some(4), "{id} is a UUID of version 4");
    (client, id)
}

fn uuid(id: &str) -> Option<u32> {
    let parts: Vec<_> = id.split('-').map(str::len).collect();
    (parts == [8, 4, 4, 4, 12]).then(|| id.chars().nth(14)?.to_digit(16)).flatten()
}

fn signal(receiver: &str, data: Value) -> Value {
    json!({ "Signal": { "receiver": receiver, "data": data } })
}

fn signalled(sender: &str, data: Value) -> Value {
    json!({ "Signal": { "sender": sender, "data": data } })
}

#[tokio::test]
async fn those_who_are_there_meet_who_comes_and_hear_when_it_leaves() {
    let server = Server::start().await;
    let (mut a, a_id) = join(&server, "/matchbox/tea").await;
    let (mut b, b_id) = join(&server, "/matchbox/tea").await;
    a.expect(json!({ "NewPeer": b_id })).await;
    a.say(signal(&b_id, json!({ "Offer": "v=0" }))).await;
    // The newcomer has heard of nobody before.
    b.expect(signalled(&a_id, json!({ "Offer": "v=0" }))).await;
    b.say(signal(&a_id, json!({ "Answer": "v=1" }))).await;
    b.say(signal(&a_id, json!({ "IceCandidate": "{}" }))).await;
    b.say(json!("KeepAlive")).await;
    a.expect(signalled(&b_id, json!({ "Answer": "v=1" }))).await;
    a.expect(signalled(&b_id, json!({ "IceCandidate": "{}" }))).await;
    b.cut();
    a.expect(json!({ "PeerLeft": b_id })).await;
    a.cut();
    server.is_empty().await;
}

#[tokio::test]
async fn rooms_do_not_hear_each_other() {
    let server = Server::start().await;
    let (mut a, a_id) = join(&server, "/matchbox/tea").await;
    let (mut b, b_id) = join(&server, "/matchbox/coffee").await;
    let (mut c, _) = join(&server, "/matchbox").await;
    let (d, d_id) = join(&server, "/matchbox/").await;
    c.expect(json!({ "NewPeer": d_id })).await;
    drop(d);
    b.say(signal(&a_id, json!("from another room"))).await;
    c.say(signal(&a_id, json!("from no room"))).await;
    // Both have been read when these are answered.
    let (_, d_id) = join(&server, "/matchbox/coffee").await;
    b.expect(json!({ "NewPeer": d_id })).await;
    b.say(signal(&b_id, json!("to itself"))).await;
    let (_, e_id) = join(&server, "/matchbox/tea").await;
    a.expect(json!({ "NewPeer": e_id })).await;
}

#[tokio::test]
async fn rooms_that_everybody_has_left_are_gone() {
    let server = Server::start().await;
    for number in 0..300 {
        let (client, _) = join(&server, &format!("/matchbox/{number}")).await;
        client.cut();
    }
    server.is_empty().await;
}

#[tokio::test]
async fn groups_are_formed_of_as_many_as_are_asked_for() {
    let server = Server::start().await;
    let (mut alone, _) = join(&server, "/matchbox/tea").await;
    let (mut other_size, _) = join(&server, "/matchbox/tea?next=3").await;
    let (_one, _) = join(&server, "/matchbox/tea?next=1").await;
    let (mut a, a_id) = join(&server, "/matchbox/tea?next=2").await;
    let (mut b, b_id) = join(&server, "/matchbox/tea?next=2").await;
    a.expect(json!({ "NewPeer": b_id })).await;
    let (mut c, _) = join(&server, "/matchbox/tea?next=2").await;
    let (d, d_id) = join(&server, "/matchbox/tea?next=2").await;
    c.expect(json!({ "NewPeer": d_id })).await;
    d.cut();
    c.expect(json!({ "PeerLeft": d_id })).await;
    b.say(signal(&a_id, json!(1))).await;
    a.expect(signalled(&b_id, json!(1))).await;
    let (mut second, second_id) = join(&server, "/matchbox/tea?next=3").await;
    let (_third, third_id) = join(&server, "/matchbox/tea?next=3").await;
    let met: BTreeSet<_> =
        [other_size.hear().await, other_size.hear().await].map(|met| met.to_string()).into();
    assert_eq!(met, [&second_id, &third_id].map(|id| json!({ "NewPeer": id }).to_string()).into());
    second.expect(json!({ "NewPeer": third_id })).await;
    // A number that is none is as if it was not there, and so is 0.
    for query in ["?next=no", "?next=0", "?next=-1", "?other=2"] {
        let (_met, id) = join(&server, &format!("/matchbox/tea{query}")).await;
        alone.expect(json!({ "NewPeer": id })).await;
        _met.cut();
        alone.expect(json!({ "PeerLeft": id })).await;
    }
    assert!(server.try_connect("/matchbox/tea?next=65").await.is_err());
}

#[tokio::test]
async fn a_room_cannot_be_called_like_a_group() {
    let server = Server::start().await;
    let (mut a, _) = join(&server, "/matchbox/tea?next=2").await;
    let (_b, _) = join(&server, "/matchbox/tea%3Fnext=2").await;
    let (_c, c_id) = join(&server, "/matchbox/tea?next=2").await;
    a.expect(json!({ "NewPeer": c_id })).await;
}

#[tokio::test]
async fn all_of_a_room_meet_when_they_come_at_once() {
    const MEMBERS: usize = 32;
    let server = Server::start().await;
    let joins = (0..MEMBERS).map(|_| join(&server, "/matchbox/storm"));
    let mut clients = futures_util::future::join_all(joins).await;
    let mut pairs = BTreeSet::new();
    // Each hears of those who came after it, and of all of them when the last has come.
    let (last, last_id) = join(&server, "/matchbox/storm").await;
    for (client, id) in &mut clients {
        loop {
            let met = client.hear().await["NewPeer"].as_str().unwrap().to_owned();
            if met == last_id {
                break;
            }
            assert!(pairs.insert((id.clone(), met)), "a pair meets once");
        }
    }
    assert_eq!(pairs.len(), MEMBERS * (MEMBERS - 1) / 2);
    drop(last);
}

#[tokio::test]
async fn in_a_star_each_room_has_its_own_host() {
    let server = Server::start().await;
    let (mut host, host_id) = join(&server, "/star/a").await;
    let (mut other_host, _) = join(&server, "/star/b").await;
    let (mut client, client_id) = join(&server, "/star/a").await;
    let (_second, second_id) = join(&server, "/star/a").await;
    host.expect(json!({ "NewPeer": client_id })).await;
    host.expect(json!({ "NewPeer": second_id })).await;
    let (_third, third_id) = join(&server, "/star/b").await;
    other_host.expect(json!({ "NewPeer": third_id })).await;
    // A room without a host is another one.
    let (mut mesh, _) = join(&server, "/matchbox/a").await;
    let (_met, met_id) = join(&server, "/matchbox/a").await;
    mesh.expect(json!({ "NewPeer": met_id })).await;
    host.cut();
    client.expect(json!({ "PeerLeft": host_id })).await;
}

#[tokio::test]
async fn bad_input_is_told_to_nobody_and_ends_the_socket_when_there_is_much_of_it() {
    let server = Server::start().await;
    let (mut a, a_id) = join(&server, "/matchbox/tea").await;
    let (mut b, b_id) = join(&server, "/matchbox/tea").await;
    a.expect(json!({ "NewPeer": b_id })).await;
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    for bad in ["", "x", "[]", "null", r#"{"Signal":{}}"#, r#"{"Other":1}"#, r#""Keep""#, &deep] {
        b.say(bad).await;
    }
    b.say(signal("nobody", json!(1))).await;
    b.say(signal(&a_id, json!(2))).await;
    a.expect(signalled(&b_id, json!(2))).await;
    for _ in 0..20 {
        b.say("x").await;
    }
    assert_eq!(b.closed().await, 4005);
    a.expect(json!({ "PeerLeft": b_id })).await;
}

#[tokio::test]
async fn whoever_does_not_read_is_let_go_and_nobody_waits_for_it() {
    let server = Server::with(Signaling::builder().policy(Guests).rates(Rates::unlimited())).await;
    let (victim, victim_id) = join(&server, "/matchbox/tea").await;
    let (mut a, _) = join(&server, "/matchbox/tea").await;
    let (mut b, b_id) = join(&server, "/matchbox/tea").await;
    a.expect(json!({ "NewPeer": b_id })).await;
    // More than its outbox and what the system keeps for it.
    let data = json!("x".repeat(60_000));
    for _ in 0..300 {
        b.say(signal(&victim_id, data.clone())).await;
    }
    a.expect(json!({ "PeerLeft": victim_id })).await;
    drop(victim);
}

#[tokio::test]
async fn whoever_finds_no_place_is_disconnected() {
    let limits = Limits { members_per_channel: 1, ..Limits::default() };
    let server = Server::with(Signaling::builder().policy(Guests).limits(limits)).await;
    let (_a, _) = join(&server, "/matchbox/tea").await;
    let (mut b, _) = join(&server, "/matchbox/tea").await;
    assert_eq!(b.closed().await, 4003);
}

#[tokio::test]
async fn guests_are_let_in_by_the_policy_alone_and_have_channels_of_their_own() {
    let closed = Server::with(Signaling::builder()).await;
    for path in ["/matchbox/tea", "/y-webrtc", "/rooms", "/peerjs?key=peerjs&id=a&token=b"] {
        assert!(closed.try_connect(path).await.is_err(), "{path}");
    }
    let server = Server::start().await;
    let (mut a, _) = join(&server, "/matchbox/tea").await;
    let mut native = server.connect("/signal").await;
    native.say(json!({ "type": "hello", "version": 1 })).await;
    assert_eq!(native.hear().await["type"], "welcome");
    native.say(json!({ "type": "join", "channel": "tea" })).await;
    assert_eq!(native.hear().await["peers"], 0);
    native.say(json!({ "type": "join", "channel": "~matchbox:tea" })).await;
    assert_eq!(native.hear().await["code"], "unauthorized");
    native.say(json!({ "type": "match", "pool": "~matchbox:tea?next=2" })).await;
    assert_eq!(native.hear().await["code"], "unauthorized");
    let (_b, b_id) = join(&server, "/matchbox/tea").await;
    a.expect(json!({ "NewPeer": b_id })).await;
}
