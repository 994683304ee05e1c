//! Strangers who wait, and for how long.

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn how_many_wait_is_told_when_it_changes() {
    check(
        "policy for four: capacity 4
         a b c: match four
         ---
         b: cancel four #2
         b: cancel four #3
         c ends closed",
        expect![[r#"
            b <- ok #2
            a c <- waiting in four, 2
            b <- ok #3
            a <- waiting in four, 1
            c ended: closed
        "#]],
    );
}

#[test]
fn who_loses_the_socket_waits_no_longer() {
    check(
        "a: match chat
         a detaches
         b: match chat
         a resumes
         a: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            a <- matchEnded in chat, detached
            b <- waiting in chat, 1
            b <- matched in chat: ~3
            b <- joined ~3, 1 peer
            b <- addPeer a in ~3, answer
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer b in ~3, offer
        "#]],
    );
}

#[test]
fn who_loses_the_socket_before_the_policy_has_decided_does_not_wait() {
    check(
        "policy for chat: is asked
         a: match chat {} #1
         a detaches
         policy allows a chat
         a resumes
         a: match chat #2
         policy denies a chat \"no\"",
        expect![[r#"
            policy <- a asks to match in chat {}
            a <- matchEnded in chat, detached #1
            policy <- a asks to match in chat
            a <- error unauthorized in chat #2: no
        "#]],
    );
}

#[test]
fn who_waits_for_too_long_is_told_so() {
    check(
        "policy for chat: patience 10s
         a: match chat
         wait 9s
         b: join lobby
         wait 1s
         b: match chat
         a: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            b <- joined lobby, 0 peers
            a <- matchEnded in chat, timeout
            b <- waiting in chat, 1
            b <- matched in chat: ~3
            b <- joined ~3, 1 peer
            b <- addPeer a in ~3, answer
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer b in ~3, offer
        "#]],
    );
}

#[test]
fn whose_session_ends_is_met_by_nobody() {
    check(
        "a: match chat
         a: bye
         b: match chat
         b ends kicked
         c: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            close a: 1000 bye
            a ended: bye
            b <- waiting in chat, 1
            b ended: kicked
            c <- waiting in chat, 1
        "#]],
    );
}

#[test]
fn pools_count_as_channels() {
    let limits = Limits { channels_per_peer: 2, ..Limits::default() };
    check_with(
        limits,
        "a: join lobby
         a: match chat
         a: match music #1
         a: join other #2
         a: cancel chat
         a: match music leaving lobby #3
         a: match chat leaving music #4",
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- waiting in chat, 1
            a <- error limit in music #1
            a <- error limit in other #2
            a <- parted lobby
            a <- waiting in music, 1 #3
            a <- parted music
            a <- waiting in chat, 1 #4
        "#]],
    );
}

#[test]
fn a_server_has_only_so_many_pools() {
    let limits = Limits { pools: 1, ..Limits::default() };
    check_with(
        limits,
        "a: match chat
         b: match music #1
         c: match chat
         b: match music #2",
        expect![[r#"
            a <- waiting in chat, 1
            b <- error limit in music #1
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer c in ~3, answer
            c <- matched in chat: ~3
            c <- joined ~3, 1 peer
            c <- addPeer a in ~3, offer
            b <- waiting in music, 1 #2
        "#]],
    );
}

#[test]
fn what_is_asked_of_a_pool_waits_for_the_decision_before() {
    check(
        "policy for chat: is asked
         a: match chat #1
         a: cancel chat #2
         a: match chat {} #3
         a: join lobby #4
         policy allows a chat
         policy allows a chat",
        expect![[r#"
            policy <- a asks to match in chat
            a <- joined lobby, 0 peers #4
            a <- waiting in chat, 1 #1
            a <- ok #2
            policy <- a asks to match in chat {}
            a <- waiting in chat, 1 #3
        "#]],
    );
}

#[test]
fn a_policy_that_takes_too_long_is_unavailable() {
    check(
        "policy for chat: is asked
         a: match chat #1
         wait 5s
         policy allows a chat
         b: match chat
         policy allows b chat",
        expect![[r#"
            policy <- a asks to match in chat
            a <- error unavailable in chat #1
            policy <- b asks to match in chat
            b <- waiting in chat, 1
        "#]],
    );
}
