//! Strangers on several machines.

use std::time::Instant;

use expect_test::expect;

use super::transcript::check;
use crate::{
    ChannelName, ChannelSettings, Entry, Epoch, Hub, Input, Limits, PeerId, Place, PoolName, Position,
};

#[test]
fn over_a_slow_log_a_cancel_that_comes_too_late_is_no_error() {
    check(
        "log holds
         a: match chat #1 / log commits
         ---
         a: cancel chat #2
         b: match chat #1
         remote r matches chat ~r
         log commits all",
        expect![[r#"
            log <- cancel chat a
            log <- match chat b ~2
            a <- matched in chat: ~r
            a <- joined ~r, 1 peer
            a <- addPeer r in ~r, answer
            a <- ok #2
            b <- waiting in chat, 1 #1
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_has_lost_the_socket_gives_back_its_seat() {
    check(
        "log holds
         a: match chat #1 / log commits
         ---
         a detaches
         remote r matches chat ~r
         log commits all
         a resumes",
        expect![[r#"
            log <- cancel chat a
            a <- matchEnded in chat, detached
            log <- part ~r a, timeout
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_was_told_unavailable_gives_back_its_ticket_and_its_seat() {
    check(
        "log holds
         a: match chat #1
         b: match music #1
         wait 10s
         a: match chat #2
         remote r matches music ~r
         ---
         log commits all
         a: match chat #3
         log commits",
        expect![[r#"
            log <- cancel chat a
            log <- part ~2 b, parted
            log <- match chat a ~3
            a <- waiting in chat, 1 #3
        "#]],
    );
}

#[test]
fn strangers_on_other_machines_are_met_like_any_other() {
    check(
        "remote r matches chat ~r
         a: match chat
         b: match chat
         remote s matches chat ~s avoiding b
         remote s widens chat
         c: match chat
         remote t matches chat ~t avoiding c
         remote t cancels chat
         remote c cancels chat",
        expect![[r#"
            a <- matched in chat: ~1
            a <- joined ~1, 1 peer
            a <- addPeer r in ~1, offer
            b <- waiting in chat, 1
            b <- waiting in chat, 2
            b <- matched in chat: ~s
            b <- joined ~s, 1 peer
            b <- addPeer s in ~s, answer
            c <- waiting in chat, 1
            c <- waiting in chat, 2
            c <- waiting in chat, 1
            c <- matchEnded in chat, unavailable
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_cancel_that_another_machine_has_forestalled_decides_nothing() {
    check(
        "log holds
         a: match chat #1 / a: match music #1 / log commits all
         policy for chat: is asked
         ---
         a: cancel chat #2 / a: cancel music #2
         remote a cancels chat / remote a cancels music
         a: match chat #3 / a: match music #3
         log commits all
         policy allows a chat / log commits",
        expect![[r#"
            log <- cancel chat a
            log <- cancel music a
            a <- ok #2 x2
            policy <- a asks to match in chat
            log <- match music a ~3
            a <- waiting in music, 1 #3
            log <- match chat a ~4
            a <- waiting in chat, 1 #3
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_pool_that_another_machine_takes_a_peer_out_of_is_entered_again() {
    check(
        "log holds
         policy for chat: patience 10s
         a: match chat #1 / log commits
         ---
         wait 4s
         a: match chat {} #2
         remote a cancels chat
         log commits
         wait 5999ms
         b: join lobby
         wait 1ms
         log commits all",
        expect![[r#"
            log <- update chat a {}
            a <- matchEnded in chat, unavailable
            log <- match chat a ~2
            log <- join lobby b
            a <- waiting in chat, 1 #2
            b <- joined lobby, 0 peers
        "#]],
    );
}

#[test]
fn nobody_joins_a_channel_of_a_match_from_another_machine_either() {
    check(
        "a b: match chat
         ---
         remote r joins ~2
         a: join ~2",
        expect![[r#"
            a <- joined ~2, 1 peer
            a <- addPeer b in ~2, answer
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_refused_end_of_what_has_ended_otherwise_is_no_matter() {
    check(
        "log holds
         a: match chat / log commits
         ---
         a detaches
         a resumes
         remote r matches chat ~r
         log refuses",
        expect![[r#"
            log <- cancel chat a
            a <- matched in chat: ~r
            a <- joined ~r, 1 peer
            a <- addPeer r in ~r, answer
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_asks_again_too_late_searches_anew() {
    check(
        "log holds
         a: match chat #1 / log commits
         ---
         a: match chat 2 #2
         remote r matches chat ~r
         log commits
         log commits",
        expect![[r#"
            log <- update chat a 2
            a <- matched in chat: ~r
            a <- joined ~r, 1 peer
            a <- addPeer r in ~r, answer
            log <- match chat a ~2, avoiding r
            a <- waiting in chat, 1 #2
        "#]],
    );
}

#[test]
fn strangers_of_other_machines_leave_nothing_here() {
    let mut hub = Hub::new(Limits::default(), Epoch(7));
    let settings = ChannelSettings { capacity: 2, ..ChannelSettings::default() };
    for (name, position) in [("r", 1), ("s", 2)] {
        let (peer, room) = (PeerId::new(name).unwrap(), ChannelName::new(&format!("~{name}")).unwrap());
        let entry = Entry::Match { peer, identity: None, userdata: None, avoid: Vec::new(), room, settings };
        let place = Place::Pool(PoolName::new("chat").unwrap());
        let committed = Input::Committed { place, position: Position(position), entry };
        hub.handle_input(Instant::now(), committed, |output| panic!("nobody is here: {output:?}"));
    }
    assert!(hub.is_empty(), "{hub:?}");
}
