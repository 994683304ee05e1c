//! Who gets which session back.

use signal_tokio::{Limits, Timing};

use super::{FOREVER, SHORT};
use crate::{Adapter, client::Client, server::Server};

rules! { ($) tokens:
    a_session_is_given_back_and_nobody_is_told,
    a_detached_session_keeps_its_seat,
    a_socket_that_the_server_still_holds_is_replaced,
    each_welcome_brings_a_new_token,
    the_token_before_works_while_the_new_one_may_not_have_arrived,
    any_token_works_that_may_be_the_last_one_to_arrive,
    the_token_before_is_dead_once_the_new_one_has_arrived,
    an_unknown_token_gives_a_new_session,
    an_impossible_number_ends_the_old_session_and_gives_a_new_one,
    a_session_is_not_given_to_another_identity,
    a_session_that_said_bye_is_not_given_back,
    replaces_ends_a_session_that_is_detached,
    replaces_does_not_end_a_session_that_has_a_socket,
    who_does_not_come_back_in_time_is_gone,
    who_came_back_in_time_is_not_gone_later,
    without_grace_a_lost_socket_ends_the_session,
}

async fn a_session_is_given_back_and_nobody_is_told(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    let (peer, token, received) = (ann.peer.clone(), ann.token.clone(), ann.received);
    ann.leave().await;
    let (mut ann, welcome) = server.resume(&token, received).await;
    assert_eq!((&welcome["resumed"], &welcome["received"]), (&true.into(), &1.into()));
    assert_eq!(ann.peer, peer);
    assert_eq!(bob.hear_all().await, (vec![], None));
    tell(&mut bob, &mut ann, 1).await;
    tell(&mut ann, &mut bob, 2).await;
}

async fn a_detached_session_keeps_its_seat(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("pair").await;
    bob.join("pair").await;
    ann.leave().await;
    let mut cid = server.client().await;
    cid.say(r#"{"type":"join","channel":"pair"}"#).await;
    cid.expect_error("channel_full").await;
    assert_eq!(server.signaling.peers().len(), 3);
}

async fn a_socket_that_the_server_still_holds_is_replaced(adapter: Adapter) {
    // Nothing but that makes the server look at the old socket.
    let timing = Timing { acknowledge: FOREVER, heartbeat: FOREVER, ..Timing::default() };
    let server = adapter.start_with(|builder| builder.timing(timing)).await;
    let (mut ann, mut bob) = two_in_a_room(&server).await;
    let (mut again, welcome) = server.resume(&ann.token, ann.received).await;
    assert_eq!(welcome["resumed"], true);
    ann.expect_close(4001, "replaced").await;
    tell(&mut bob, &mut again, 1).await;
    tell(&mut again, &mut bob, 2).await;
}

async fn each_welcome_brings_a_new_token(adapter: Adapter) {
    let server = adapter.start().await;
    let mut client = server.client().await;
    let mut tokens = vec![client.token.clone()];
    for _ in 0..5 {
        let token = client.token.clone();
        client.leave().await;
        client = server.resume(&token, 0).await.0;
        assert!(!tokens.contains(&client.token));
        tokens.push(client.token.clone());
    }
}

async fn the_token_before_works_while_the_new_one_may_not_have_arrived(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    let (first, received) = (ann.token.clone(), ann.received);
    drop(ann);
    for _ in 0..3 {
        // This `welcome` does not arrive, as far as the server can know.
        let (_, welcome) = server.resume(&first, received).await;
        assert_eq!(welcome["resumed"], true);
    }
    let (mut ann, welcome) = server.resume(&first, received).await;
    assert_eq!(welcome["resumed"], true);
    assert_eq!(bob.hear_all().await, (vec![], None));
    tell(&mut ann, &mut bob, 1).await;
}

/// A `hello` of a socket that the client has given up may come later than that of the next.
async fn any_token_works_that_may_be_the_last_one_to_arrive(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    let (first, received) = (ann.token.clone(), ann.received);
    tell(&mut bob, &mut { ann }, 1).await;
    let (next, _) = server.resume(&first, received).await;
    assert_eq!(server.resume(&first, received).await.1["resumed"], true);
    // It has heard the message meanwhile, of which the last `hello` has not known.
    let (mut ann, welcome) = server.resume(&next.token, received + 1).await;
    assert_eq!(welcome["resumed"], true);
    tell(&mut ann, &mut bob, 2).await;
    assert_eq!(server.resume(&first, received + 1).await.1["resumed"], false);
    assert_eq!(server.resume(&next.token, received + 1).await.1["resumed"], false);
    tell(&mut bob, &mut ann, 3).await;
}

async fn the_token_before_is_dead_once_the_new_one_has_arrived(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    let (first, received) = (ann.token.clone(), ann.received);
    drop(ann);
    let (mut ann, _) = server.resume(&first, received).await;
    tell(&mut ann, &mut bob, 1).await;
    let (stranger, welcome) = server.resume(&first, received).await;
    assert_eq!(welcome["resumed"], false);
    assert_ne!(stranger.peer, ann.peer);
    tell(&mut ann, &mut bob, 2).await;
}

async fn an_unknown_token_gives_a_new_session(adapter: Adapter) {
    let server = adapter.start().await;
    for token in ["", "x", &"x".repeat(4096), "AAAAAAAAAAAAAAAAAAAAAA"] {
        let (mut client, welcome) = server.resume(token, 0).await;
        assert_eq!((&welcome["resumed"], &welcome["received"]), (&false.into(), &0.into()));
        client.join("room").await;
        client.bye().await;
    }
}

async fn an_impossible_number_ends_the_old_session_and_gives_a_new_one(adapter: Adapter) {
    let server = adapter.start().await;
    let mut witness = server.client().await;
    witness.join("room").await;
    for received in [0, 3, u64::MAX >> 11] {
        let mut client = server.client().await;
        client.join("room").await;
        client.acknowledge().await;
        client.say(r#"{"type":"ping"}"#).await;
        client.expect("pong").await;
        witness.expect("addPeer").await;
        let (again, welcome) = server.resume(&client.token, received).await;
        assert_eq!((&welcome["resumed"], &welcome["received"]), (&false.into(), &0.into()));
        assert_ne!(again.peer, client.peer);
        client.expect_close(4001, "replaced").await;
        // It was ended before `welcome` was sent.
        assert_eq!(server.signaling.channel("room").unwrap().members.len(), 1);
        assert_eq!(witness.expect("removePeer").await["reason"], "replaced");
    }
}

async fn a_session_is_not_given_to_another_identity(adapter: Adapter) {
    let server = adapter.start().await;
    let ann = server.welcomed(r#"{"type":"hello","version":1,"token":"id ann"}"#).await;
    let (peer, resume) = (ann.peer.clone(), format!(r#"{{"token":"{}","received":0}}"#, ann.token));
    ann.leave().await;
    for (token, resumed) in [("id bob", false), ("", false), ("id ann", true)] {
        let mut client = server.socket().await;
        let hello = format!(r#"{{"type":"hello","version":1,"token":"{token}","resume":{resume}}}"#);
        client.say(hello).await;
        assert_eq!(client.read_welcome().await["resumed"], resumed);
        assert_eq!(client.peer == peer, resumed);
    }
}

async fn a_session_that_said_bye_is_not_given_back(adapter: Adapter) {
    let server = adapter.start().await;
    let client = server.client().await;
    let token = client.token.clone();
    client.bye().await;
    assert_eq!(server.resume(&token, 0).await.1["resumed"], false);
}

async fn replaces_ends_a_session_that_is_detached(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    let (ghost, token) = (ann.peer.clone(), ann.token.clone());
    ann.leave().await;
    let hello = format!(r#"{{"type":"hello","version":1,"replaces":"{token}"}}"#);
    let mut ann = server.welcomed(&hello).await;
    let removed = bob.expect("removePeer").await;
    assert_eq!((&removed["peer_id"], &removed["reason"]), (&ghost.into(), &"replaced".into()));
    assert_eq!(ann.join("room").await.len(), 1);
}

async fn replaces_does_not_end_a_session_that_has_a_socket(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = two_in_a_room(&server).await;
    let hello = format!(r#"{{"type":"hello","version":1,"replaces":"{}"}}"#, ann.token);
    server.welcomed(&hello).await;
    server.welcomed(r#"{"type":"hello","version":1,"replaces":"unknown"}"#).await;
    tell(&mut ann, &mut bob, 1).await;
    tell(&mut bob, &mut ann, 2).await;
}

async fn who_does_not_come_back_in_time_is_gone(adapter: Adapter) {
    let limits = Limits { grace: SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    let token = ann.token.clone();
    drop(ann);
    assert_eq!(bob.expect("removePeer").await["reason"], "timeout");
    assert_eq!(server.resume(&token, 0).await.1["resumed"], false);
}

async fn who_came_back_in_time_is_not_gone_later(adapter: Adapter) {
    let limits = Limits { grace: 5 * SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let (mut ann, mut bob) = two_in_a_room(&server).await;
    for _ in 0..2 {
        let (token, received) = (ann.token.clone(), ann.received);
        drop(ann);
        ann = server.resume(&token, received).await.0;
        // Another one is lost after that, and gone before anybody hears of Ann.
        let mut cid = server.client().await;
        cid.join("room").await;
        let lost = cid.peer.clone();
        drop(cid);
        bob.expect("addPeer").await;
        assert_eq!(bob.expect("removePeer").await["peer_id"], lost);
        ann.expect("addPeer").await;
        ann.expect("removePeer").await;
    }
}

async fn without_grace_a_lost_socket_ends_the_session(adapter: Adapter) {
    let limits = Limits { grace: std::time::Duration::ZERO, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let (ann, mut bob) = two_in_a_room(&server).await;
    ann.leave().await;
    assert_eq!(bob.expect("removePeer").await["reason"], "timeout");
}

async fn two_in_a_room(server: &Server) -> (Client, Client) {
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    ann.expect("addPeer").await;
    (ann, bob)
}

async fn tell(from: &mut Client, to: &mut Client, number: u64) {
    from.say(format!(r#"{{"type":"send","peer_id":"{}","data":{number}}}"#, to.peer)).await;
    assert_eq!(to.expect("message").await["data"], number);
}
