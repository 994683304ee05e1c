//! What the embedder sees and does.

use serde_json::Value;
use signal_tokio::{EndReason, Event, Missed, PeerId, SendError};

use crate::{Adapter, client::Client};

rules! { ($) embedder:
    events_come_in_the_order_in_which_things_happen,
    who_reads_events_too_slowly_is_told_how_many_it_has_missed,
    channels_and_peers_are_listed,
    the_embedder_may_speak_to_one_peer,
    the_embedder_may_speak_to_a_channel,
    what_no_client_could_take_is_not_sent,
    a_kicked_peer_is_closed_and_its_token_is_dead,
    a_detached_peer_can_be_kicked,
    a_peer_can_be_taken_out_of_one_channel,
}

async fn events_come_in_the_order_in_which_things_happen(adapter: Adapter) {
    let server = adapter.start().await;
    let mut events = server.signaling.events();
    let mut ann = server.welcomed(r#"{"type":"hello","version":1,"token":"id ann"}"#).await;
    let peer = id(&ann);
    ann.join("one").await;
    ann.join("two").await;
    ann.say(r#"{"type":"part","channel":"one"}"#).await;
    ann.expect("parted").await;
    ann.bye().await;
    let channel = |name: &str| name.parse().unwrap();
    for expected in [
        Event::Connected { peer: peer.clone(), identity: Some("id ann".into()) },
        Event::Joined { peer: peer.clone(), channel: channel("one") },
        Event::Joined { peer: peer.clone(), channel: channel("two") },
        Event::Parted { peer: peer.clone(), channel: channel("one"), reason: EndReason::Parted },
        Event::Parted { peer: peer.clone(), channel: channel("two"), reason: EndReason::Bye },
        Event::Gone { peer, reason: EndReason::Bye },
    ] {
        assert_eq!(events.next().await, Some(Ok(expected)));
    }
}

async fn who_reads_events_too_slowly_is_told_how_many_it_has_missed(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.kept_events(4)).await;
    let mut events = server.signaling.events();
    let mut client = server.client().await;
    for _ in 0..5 {
        client.join("room").await;
        client.say(r#"{"type":"part","channel":"room"}"#).await;
        client.expect("parted").await;
    }
    // One has connected, joined five times and parted five times; the last four are kept.
    assert_eq!(events.next().await, Some(Err(Missed(7))));
    for _ in 0..2 {
        assert!(matches!(events.next().await, Some(Ok(Event::Joined { .. }))));
        assert!(matches!(events.next().await, Some(Ok(Event::Parted { .. }))));
    }
}

async fn channels_and_peers_are_listed(adapter: Adapter) {
    let server = adapter.start().await;
    let mut ann = server.welcomed(r#"{"type":"hello","version":1,"token":"id ann"}"#).await;
    let mut bob = server.client().await;
    assert_eq!(server.signaling.channels(), []);
    ann.join("one").await;
    bob.say(r#"{"type":"join","channel":"one","userdata":{ "name" : "Bob" }}"#).await;
    bob.expect("joined").await;
    bob.expect("addPeer").await;
    bob.join("two").await;
    let signaling = &server.signaling;
    assert_eq!(signaling.peers(), [id(&ann), id(&bob)]);
    let names: Vec<_> = signaling.channels().into_iter().map(|channel| channel.name.to_string()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(signaling.channel("three"), None);
    let one = signaling.channel("one").unwrap();
    let [first, second] = &one.members[..] else { panic!("two members are expected in {one:?}") };
    assert_eq!(
        (&first.peer, first.identity.as_deref(), first.userdata.as_deref()),
        (&id(&ann), Some("id ann"), None)
    );
    let userdata = Some(r#"{ "name" : "Bob" }"#);
    assert_eq!(
        (&second.peer, second.identity.as_deref(), second.userdata.as_deref()),
        (&id(&bob), None, userdata)
    );
    // Who is detached is still there.
    bob.leave().await;
    assert_eq!(signaling.peers().len(), 2);
    assert_eq!(signaling.channel("two").unwrap().members.len(), 1);
}

async fn the_embedder_may_speak_to_one_peer(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    server.signaling.send_to_peer(&id(&ann), &vec![Some("x"), None]).unwrap();
    assert_eq!(ann.hear_text().await, r#"{"type":"message","data":["x",null]}"#);
    assert_eq!(bob.hear_all().await, (vec![], None));
    let (token, received, peer) = (ann.token.clone(), ann.received, id(&ann));
    ann.leave().await;
    server.signaling.send_to_peer(&peer, &1).unwrap();
    let (mut ann, _) = server.resume(&token, received).await;
    assert_eq!(ann.expect("message").await["data"], 1);
    ann.bye().await;
    assert!(matches!(server.signaling.send_to_peer(&peer, &2), Err(SendError::NoRecipient)));
}

async fn the_embedder_may_speak_to_a_channel(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob, mut cid) = (server.client().await, server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    ann.expect("addPeer").await;
    server.signaling.send_to_channel("room", &"hear, hear").unwrap();
    for member in [&mut ann, &mut bob] {
        assert_eq!(member.hear_text().await, r#"{"type":"message","channel":"room","data":"hear, hear"}"#);
    }
    assert_eq!(cid.hear_all().await, (vec![], None));
    assert!(matches!(server.signaling.send_to_channel("elsewhere", &1), Err(SendError::NoRecipient)));
}

async fn what_no_client_could_take_is_not_sent(adapter: Adapter) {
    let server = adapter.start().await;
    let mut ann = server.client().await;
    ann.join("room").await;
    let largest = "x".repeat((64 << 10) - 2);
    server.signaling.send_to_channel("room", &largest).unwrap();
    assert_eq!(ann.expect("message").await["data"], largest);
    for size in [(64 << 10) - 1, 1 << 20] {
        let too_large = "x".repeat(size);
        assert!(matches!(server.signaling.send_to_channel("room", &too_large), Err(SendError::TooLarge)));
        assert!(matches!(server.signaling.send_to_peer(&id(&ann), &too_large), Err(SendError::TooLarge)));
    }
    assert_eq!(ann.hear_all().await, (vec![], None));
}

async fn a_kicked_peer_is_closed_and_its_token_is_dead(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    ann.expect("addPeer").await;
    assert!(server.signaling.kick(&id(&ann)));
    ann.expect_close(4004, "kicked").await;
    assert_eq!(bob.expect("removePeer").await["reason"], "kicked");
    assert!(!server.signaling.kick(&id(&ann)));
    assert_eq!(server.resume(&ann.token, ann.received).await.1["resumed"], false);
}

async fn a_detached_peer_can_be_kicked(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    let (token, peer) = (ann.token.clone(), id(&ann));
    ann.leave().await;
    assert!(server.signaling.kick(&peer));
    assert_eq!(bob.expect("removePeer").await["reason"], "kicked");
    assert_eq!(server.resume(&token, 0).await.1["resumed"], false);
}

async fn a_peer_can_be_taken_out_of_one_channel(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    for channel in ["one", "two"] {
        ann.join(channel).await;
        bob.join(channel).await;
        ann.expect("addPeer").await;
    }
    assert!(server.signaling.remove(&id(&ann), "one"));
    assert_eq!(ann.hear_text().await, r#"{"type":"parted","channel":"one"}"#);
    check_removed(&ann.expect("removePeer").await, &bob);
    check_removed(&bob.expect("removePeer").await, &ann);
    assert!(!server.signaling.remove(&id(&ann), "one"));
    // The other channel is as before, and nothing keeps Ann from joining again.
    ann.say(format!(r#"{{"type":"send","peer_id":"{}","data":1}}"#, bob.peer)).await;
    bob.expect("message").await;
    assert_eq!(ann.join("one").await.len(), 1);
}

fn check_removed(removed: &Value, peer: &Client) {
    assert_eq!((&removed["channel"], &removed["peer_id"]), (&"one".into(), &peer.peer.as_str().into()));
    assert_eq!(removed["reason"], "kicked");
}

fn id(client: &Client) -> PeerId {
    client.peer.parse().unwrap()
}
