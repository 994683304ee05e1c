//! The server starts again, with its keys or without.

use std::time::Duration;

use serde_json::Value;
use signal_tokio::Limits;

use crate::{Adapter, client::Client, rules::FOREVER, server::Server};

rules! { ($) restart:
    a_client_comes_back_with_its_peer_id,
    a_client_that_was_never_lost_is_told_who_it_was_each_time,
    who_comes_back_to_a_room_for_two_goes_before_strangers,
    strangers_get_the_seats_for_which_nobody_has_come_back,
    strangers_who_have_met_come_back_to_their_channel,
    a_star_has_the_same_host_again,
    a_star_whose_host_stays_away_gets_the_next_one,
    a_seat_is_given_to_nobody_else,
    a_lost_welcome_does_not_cost_the_peer_id,
    a_late_hello_does_not_cost_the_peer_id,
    a_peer_id_is_not_given_twice,
    another_identity_gets_no_peer_id,
    a_new_key_goes_before_the_old_one,
    other_keys_bring_nothing_back,
    without_keys_nothing_comes_back,
    a_seat_of_this_start_is_none,
}

const KEY: &str = "a key that a rule has made, of 32 bytes and more";
const OTHER_KEY: &str = "another key that a rule has made, of 32 bytes and more";

async fn a_client_comes_back_with_its_peer_id(adapter: Adapter) {
    let (ann, bob) = two_in(&start(adapter, &[KEY]).await, "room").await;
    let server = start(adapter, &[KEY]).await;
    let (mut again, welcome) = server.resume(&ann.client.token, ann.client.received).await;
    assert_eq!((&welcome["resumed"], &welcome["received"]), (&false.into(), &0.into()));
    assert_eq!(again.peer, ann.client.peer);
    let mut bob_again = server.resume(&bob.client.token, 0).await.0;
    assert_eq!(bob_again.peer, bob.client.peer);
    again.join("room").await;
    assert_eq!(bob_again.join("room").await[0]["peer_id"], *ann.client.peer);
    assert_eq!(again.expect("addPeer").await["peer_id"], *bob.client.peer);
}

async fn a_client_that_was_never_lost_is_told_who_it_was_each_time(adapter: Adapter) {
    let mut token = start(adapter, &[KEY]).await.client().await.token;
    let mut peers = Vec::new();
    for _ in 0..3 {
        let server = start(adapter, &[KEY]).await;
        let client = server.resume(&token, 7).await.0;
        peers.push(client.peer.clone());
        token = client.token.clone();
    }
    assert!(peers.iter().all(|peer| *peer == peers[0]), "{peers:?}");
}

async fn who_comes_back_to_a_room_for_two_goes_before_strangers(adapter: Adapter) {
    let (ann, bob) = two_in(&start(adapter, &[KEY]).await, "pair").await;
    let server = start_within(adapter, &[KEY], Duration::from_secs(1)).await;
    let mut mal = server.client().await;
    mal.say(r#"{"type":"join","channel":"pair"}"#).await;
    for (number, member) in [&ann, &bob].into_iter().enumerate() {
        let mut again = server.resume(&member.client.token, 0).await.0;
        assert_eq!(again.rejoin("pair", &member.seat).await.len(), number);
    }
    mal.expect_error("channel_full").await;
}

async fn strangers_get_the_seats_for_which_nobody_has_come_back(adapter: Adapter) {
    let (ann, _) = two_in(&start(adapter, &[KEY]).await, "pair").await;
    let server = start_within(adapter, &[KEY], Duration::from_millis(500)).await;
    let mut mal = server.client().await;
    mal.say(r#"{"type":"join","channel":"pair"}"#).await;
    let mut again = server.resume(&ann.client.token, 0).await.0;
    assert_eq!(again.rejoin("pair", &ann.seat).await, Vec::<Value>::new());
    assert_eq!(mal.expect("joined").await["peers"], 1);
    assert_eq!(again.expect("addPeer").await["peer_id"], *mal.peer);
}

async fn strangers_who_have_met_come_back_to_their_channel(adapter: Adapter) {
    let server = start(adapter, &[KEY]).await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.search("chat").await;
    ann.expect("waiting").await;
    bob.search("chat").await;
    let mut seats = Vec::new();
    for client in [&mut ann, &mut bob] {
        let channel = client.expect("matched").await["channel"].as_str().unwrap().to_owned();
        let seat = client.expect("joined").await["seat"].as_str().unwrap().to_owned();
        seats.push((channel, seat));
    }
    let server = start(adapter, &[KEY]).await;
    let mut again = Vec::new();
    for (number, (client, (channel, seat))) in [&ann, &bob].into_iter().zip(&seats).enumerate() {
        let mut client = server.resume(&client.token, 0).await.0;
        assert_eq!(client.rejoin(channel, seat).await.len(), number);
        again.push(client);
    }
    again[0].expect("addPeer").await;
    // It is for two, as before.
    let (channel, seat) = &seats[0];
    let mut mal = server.client().await;
    for request in [
        format!(r#"{{"type":"join","channel":"{channel}"}}"#),
        format!(r#"{{"type":"join","channel":"{channel}","seat":"{seat}"}}"#),
        format!(r#"{{"type":"join","channel":"{channel}","seat":"rubbish"}}"#),
    ] {
        mal.say(request).await;
        mal.expect_error("unauthorized").await;
    }
}

async fn a_star_has_the_same_host_again(adapter: Adapter) {
    let (ann, bob) = two_in(&start(adapter, &[KEY]).await, "stage").await;
    let server = start_within(adapter, &[KEY], FOREVER).await;
    let mut mal = server.client().await;
    mal.say(r#"{"type":"join","channel":"stage"}"#).await;
    assert_eq!(mal.hear_all().await, (vec![], None));
    let mut bob_again = server.resume(&bob.client.token, 0).await.0;
    bob_again.say(format!(r#"{{"type":"join","channel":"stage","seat":"{}"}}"#, bob.seat)).await;
    assert_eq!(bob_again.hear_all().await, (vec![], None));
    let mut ann_again = server.resume(&ann.client.token, 0).await.0;
    assert_eq!(ann_again.rejoin("stage", &ann.seat).await, Vec::<Value>::new());
    for follower in [&mut bob_again, &mut mal] {
        assert_eq!(ann_again.expect("addPeer").await["peer_id"], *follower.peer);
        assert_eq!(follower.expect("joined").await["peers"], 1);
        let host = follower.expect("addPeer").await;
        assert_eq!((&host["peer_id"], &host["host"]), (&(*ann.client.peer).into(), &true.into()));
    }
}

async fn a_star_whose_host_stays_away_gets_the_next_one(adapter: Adapter) {
    let server = start(adapter, &[KEY]).await;
    let (_ann, bob) = two_in(&server, "stage").await;
    let (cem, _) = two_in(&server, "stage").await;
    let server = start_within(adapter, &[KEY], Duration::from_secs(1)).await;
    let mut again = Vec::new();
    for member in [&cem, &bob] {
        let mut client = server.resume(&member.client.token, 0).await.0;
        client.say(format!(r#"{{"type":"join","channel":"stage","seat":"{}"}}"#, member.seat)).await;
        again.push(client);
    }
    assert_eq!(again[0].expect("joined").await["peers"], 1);
    assert_eq!(again[0].expect("addPeer").await["peer_id"], *bob.client.peer);
    assert_eq!(again[1].expect("joined").await["peers"], 0);
}

async fn a_seat_is_given_to_nobody_else(adapter: Adapter) {
    let (ann, bob) = two_in(&start(adapter, &[KEY]).await, "pair").await;
    let server = start_within(adapter, &[KEY], Duration::from_millis(500)).await;
    // A seat in the hands of another, and one in another channel: neither goes before those who wait.
    let mut mal = server.client().await;
    let stolen = &ann.seat;
    mal.say(format!(r#"{{"type":"join","channel":"pair","seat":"{stolen}"}}"#)).await;
    let mut again = server.resume(&ann.client.token, 0).await.0;
    again.say(format!(r#"{{"type":"join","channel":"pair two","seat":"{stolen}"}}"#)).await;
    let mut bob = {
        let mut again = server.resume(&bob.client.token, 0).await.0;
        again.rejoin("pair", &bob.seat).await;
        again
    };
    assert_eq!(bob.expect("addPeer").await["peer_id"], *mal.peer);
    mal.expect("joined").await;
    assert_eq!(again.expect("joined").await["channel"], "pair two");
}

async fn a_lost_welcome_does_not_cost_the_peer_id(adapter: Adapter) {
    let client = start(adapter, &[KEY]).await.client().await;
    let server = start(adapter, &[KEY]).await;
    let mut lost = server.resume(&client.token, 0).await.0;
    let mut again = server.resume(&client.token, 0).await.0;
    assert_eq!((&lost.peer, &again.peer), (&client.peer, &client.peer));
    lost.expect_close(4001, "replaced").await;
    again.join("room").await;
    assert_eq!(server.signaling.peers().len(), 1);
}

/// A `hello` of a socket that the client has given up may come later than that of the next.
async fn a_late_hello_does_not_cost_the_peer_id(adapter: Adapter) {
    let client = start(adapter, &[KEY]).await.client().await;
    let server = start(adapter, &[KEY]).await;
    let next = server.resume(&client.token, 0).await.0;
    let (late, welcome) = server.resume(&client.token, 0).await;
    assert_eq!((&late.peer, &welcome["resumed"]), (&client.peer, &false.into()));
    let (again, welcome) = server.resume(&next.token, 0).await;
    assert_eq!((&again.peer, &welcome["resumed"]), (&client.peer, &true.into()));
    assert_eq!(server.signaling.peers().len(), 1);
}

async fn a_peer_id_is_not_given_twice(adapter: Adapter) {
    let client = start(adapter, &[KEY]).await.client().await;
    let server = start(adapter, &[KEY]).await;
    let mut first = server.resume(&client.token, 0).await.0;
    // Now it knows the newer token.
    first.join("room").await;
    let second = server.resume(&client.token, 0).await.0;
    assert_eq!(first.peer, client.peer);
    assert_ne!(second.peer, client.peer);
    assert_eq!(first.hear_all().await, (vec![], None));
}

async fn another_identity_gets_no_peer_id(adapter: Adapter) {
    let server = start(adapter, &[KEY]).await;
    let ann = server.welcomed(r#"{"type":"hello","version":1,"token":"id ann"}"#).await;
    let resume = format!(r#"{{"token":"{}","received":0}}"#, ann.token);
    let server = start(adapter, &[KEY]).await;
    for (token, is_ann) in [("id bob", false), ("", false), ("id ann", true)] {
        let mut client = server.socket().await;
        client.say(format!(r#"{{"type":"hello","version":1,"token":"{token}","resume":{resume}}}"#)).await;
        client.read_welcome().await;
        assert_eq!(client.peer == ann.peer, is_ann, "{token}");
    }
}

async fn a_new_key_goes_before_the_old_one(adapter: Adapter) {
    let client = start(adapter, &[KEY]).await.client().await;
    let server = start(adapter, &[OTHER_KEY, KEY]).await;
    let again = server.resume(&client.token, 0).await.0;
    assert_eq!(again.peer, client.peer);
    // It has a token by the new key now.
    let server = start(adapter, &[OTHER_KEY]).await;
    assert_eq!(server.resume(&again.token, 0).await.0.peer, client.peer);
    assert_ne!(server.resume(&client.token, 0).await.0.peer, client.peer);
}

async fn other_keys_bring_nothing_back(adapter: Adapter) {
    let (ann, _) = two_in(&start(adapter, &[KEY]).await, "pair").await;
    let server = start_within(adapter, &[OTHER_KEY], Duration::ZERO).await;
    let mut again = server.resume(&ann.client.token, 0).await.0;
    assert_ne!(again.peer, ann.client.peer);
    again.rejoin("pair", &ann.seat).await;
}

async fn without_keys_nothing_comes_back(adapter: Adapter) {
    let server = start(adapter, &[]).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"join","channel":"pair"}"#).await;
    assert_eq!(client.expect("joined").await.get("seat"), None);
    let server = start(adapter, &[]).await;
    assert_ne!(server.resume(&client.token, 0).await.0.peer, client.peer);
    // Nobody is expected, so nobody waits.
    server.client().await.join("pair").await;
}

/// Who has parted the channel of a match does not come back into it.
async fn a_seat_of_this_start_is_none(adapter: Adapter) {
    let server = start(adapter, &[KEY]).await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.search("chat").await;
    ann.expect("waiting").await;
    bob.search("chat").await;
    let channel = ann.expect("matched").await["channel"].clone();
    let seat = ann.expect("joined").await["seat"].clone();
    ann.expect("addPeer").await;
    ann.say(format!(r#"{{"type":"part","channel":{channel}}}"#)).await;
    ann.expect("parted").await;
    ann.expect("removePeer").await;
    ann.say(format!(r#"{{"type":"join","channel":{channel},"seat":{seat}}}"#)).await;
    ann.expect_error("unauthorized").await;
}

/// Somebody before the server was killed. The socket is still open, as if nobody had told it.
struct Member {
    client: Client,
    seat: String,
}

/// Starts a server that expects nobody. It is killed, as far as clients can see, when the next one is started.
async fn start(adapter: Adapter, keys: &[&'static str]) -> Server {
    start_within(adapter, keys, Duration::ZERO).await
}

async fn start_within(adapter: Adapter, keys: &[&'static str], returning: Duration) -> Server {
    let limits = Limits { returning, ..Limits::default() };
    adapter.start_with(|builder| builder.keys(keys.iter().copied()).limits(limits)).await
}

/// Two who have joined a channel.
async fn two_in(server: &Server, channel: &str) -> (Member, Member) {
    let mut members = Vec::new();
    for _ in 0..2 {
        let mut client = server.client().await;
        client.say(format!(r#"{{"type":"join","channel":"{channel}"}}"#)).await;
        let joined = client.expect("joined").await;
        members.push(Member { client, seat: joined["seat"].as_str().unwrap().to_owned() });
    }
    let second = members.pop().expect("two have joined");
    (members.pop().expect("two have joined"), second)
}
