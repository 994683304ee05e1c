//! Strangers over a log that takes its time.

use std::time::Duration;

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn over_a_slow_log_a_refused_match_is_unavailable_and_a_refused_end_is_tried_again() {
    check(
        "log holds
         a: match chat #1 / log refuses
         a: match chat #2 / log commits
         a: cancel chat #3 / log refuses
         a detaches / log refuses
         wait 1s
         log commits
         a resumes",
        expect![[r#"
            log <- match chat a ~1
            a <- error unavailable in chat #1
            log <- match chat a ~2
            a <- waiting in chat, 1 #2
            log <- cancel chat a
            a <- error unavailable in chat #3
            log <- cancel chat a x2
            a <- matchEnded in chat, detached
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_refused_widening_is_tried_again() {
    check(
        "log holds
         a b: match chat / log commits all
         a: match chat leaving ~2
         b: match chat leaving ~2
         log commits all
         wait 3s
         ---
         log refuses / log commits
         wait 1s
         log commits",
        expect![[r#"
            log <- widen chat a
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer b in ~3, answer
            b <- matched in chat: ~3
            b <- joined ~3, 1 peer
            b <- addPeer a in ~3, offer
        "#]],
    );
}

#[test]
fn a_session_that_ends_while_the_log_decides_leaves_nothing() {
    check(
        "log holds
         a: match chat
         a: bye
         b: match chat / log commits all
         c: match chat
         c: bye
         log commits all",
        expect![[r#"
            log <- match chat a ~1
            close a: 1000 bye
            log <- match chat b ~2
            log <- cancel chat a
            b <- matched in chat: ~2
            b <- joined ~2, 1 peer
            b <- addPeer a in ~2, offer
            log <- part ~2 a, bye
            b <- removePeer a from ~2, bye
            a ended: bye
            log <- match chat c ~3
            close c: 1000 bye
            log <- cancel chat c
            c ended: bye
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_pool_that_is_left_does_not_count_as_a_channel() {
    let limits = Limits { channels_per_peer: 1, ..Limits::default() };
    check_with(
        limits,
        "log holds
         a: match chat #1 / log commits
         ---
         a: cancel chat #2
         a: match music #3
         a: join lobby #4
         log commits all
         a: cancel music #5
         a: join lobby #6
         log commits all",
        expect![[r#"
            log <- cancel chat a
            log <- match music a ~2
            a <- error limit in lobby #4
            a <- ok #2
            a <- waiting in music, 1 #3
            log <- cancel music a
            log <- join lobby a
            a <- ok #5
            a <- joined lobby, 0 peers #6
        "#]],
    );
}

#[test]
fn over_a_slow_log_whose_time_is_up_while_the_log_decides_is_told_so_afterwards() {
    check(
        "log holds
         policy for chat: patience 10s
         a: match chat #1 / log commits
         ---
         wait 9s
         a: match chat {} #2
         wait 1500ms
         log commits
         wait 500ms
         log commits",
        expect![[r#"
            log <- update chat a {}
            a <- waiting in chat, 1 #2
            log <- cancel chat a
            a <- matchEnded in chat, timeout
        "#]],
    );
}

#[test]
fn over_a_slow_log_only_the_others_of_the_last_match_are_avoided() {
    check(
        "policy for trio: capacity 3
         a b c: match trio
         log holds
         ---
         a: match trio",
        expect![[r#"
            log <- match trio a ~4, avoiding b c
        "#]],
    );
}

#[test]
fn over_a_slow_log_whose_time_is_up_before_the_next_try_to_widen_is_told_so_in_time() {
    check(
        "log holds
         a b: match chat / log commits all
         policy for chat: patience 3500ms
         a: match chat leaving ~2
         b: match chat leaving ~2
         log commits all
         ---
         wait 3s
         log refuses / log refuses
         wait 499ms
         a: join lobby
         wait 1ms",
        expect![[r#"
            log <- widen chat a
            log <- widen chat b
            log <- join lobby a
            log <- cancel chat a
            log <- cancel chat b
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_refused_request_does_not_bring_last_partners_together_earlier() {
    let limits = Limits { commit_timeout: Duration::from_secs(1), ..Limits::default() };
    check_with(
        limits,
        "log holds
         a b: match chat / log commits all
         a: match chat leaving ~2
         b: match chat leaving ~2
         log commits all
         ---
         a: match chat {} #9
         wait 1s
         log refuses
         wait 1999ms
         c: join lobby
         wait 1ms",
        expect![[r#"
            log <- update chat a {}
            a <- error unavailable in chat #9
            log <- join lobby c
            log <- widen chat a
            log <- widen chat b
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_ends_while_it_asks_again_gives_back_its_ticket_once() {
    check(
        "log holds
         a: match chat / log commits
         ---
         a: match chat {}
         a: bye
         log commits
         log commits",
        expect![[r#"
            log <- update chat a {}
            close a: 1000 bye
            log <- cancel chat a
            a ended: bye
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_refused_end_is_tried_again_a_second_later() {
    check(
        "log holds
         policy for chat: patience 10s
         a: match chat / log commits
         b: match music / log commits
         ---
         b detaches / log refuses
         wait 999ms
         c: join lobby
         wait 1ms
         log commits all
         b resumes
         wait 9s
         log refuses
         wait 1s
         log commits",
        expect![[r#"
            log <- cancel music b
            log <- join lobby c
            log <- cancel music b
            c <- joined lobby, 0 peers
            b <- matchEnded in music, detached
            log <- cancel chat a x2
            a <- matchEnded in chat, timeout
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_ends_while_its_end_of_waiting_is_refused_gives_back_its_ticket() {
    check(
        "log holds
         a: match chat / log commits
         ---
         a: cancel chat
         a: bye
         log refuses
         wait 1s
         log commits
         b: match chat / log commits",
        expect![[r#"
            log <- cancel chat a
            close a: 1000 bye
            log <- cancel chat a
            a ended: bye
            log <- match chat b ~2
            b <- waiting in chat, 1
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_loses_the_socket_while_it_asks_again_waits_no_longer() {
    check(
        "log holds
         a: match chat / log commits
         ---
         a: match chat {} #2
         a detaches
         log commits
         log commits
         b: match chat / log commits",
        expect![[r#"
            log <- update chat a {}
            a <- waiting in chat, 1 #2
            log <- cancel chat a
            a <- matchEnded in chat, detached
            log <- match chat b ~2
            b <- waiting in chat, 1
        "#]],
    );
}

#[test]
fn over_a_slow_log_nobody_is_told_that_a_widening_takes_too_long() {
    check(
        "log holds
         a b: match chat / log commits all
         a: match chat leaving ~2
         b: match chat leaving ~2
         log commits all
         ---
         wait 13s
         a: match chat {} #3
         log commits all",
        expect![[r#"
            log <- widen chat a
            log <- widen chat b
            a <- error unavailable in chat #3
            a <- matched in chat: ~4
            a <- joined ~4, 1 peer
            a <- addPeer b in ~4, answer
            b <- matched in chat: ~4
            b <- joined ~4, 1 peer
            b <- addPeer a in ~4, offer
        "#]],
    );
}

#[test]
fn over_a_slow_log_who_avoids_nobody_does_not_widen() {
    let limits = Limits { commit_timeout: Duration::from_secs(1), ..Limits::default() };
    check_with(
        limits,
        "log holds
         a: match chat / log commits
         ---
         a: match chat {} #2
         wait 1s
         log refuses
         wait 5s",
        expect![[r#"
            log <- update chat a {}
            a <- error unavailable in chat #2
        "#]],
    );
}
