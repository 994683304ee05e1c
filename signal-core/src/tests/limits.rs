use std::time::Duration;

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn a_peer_is_in_sixteen_channels_at_most() {
    check(
        "a: join c01 / a: join c02 / a: join c03 / a: join c04 / a: join c05 / a: join c06 / a: join c07 / a: join c08
         a: join c09 / a: join c10 / a: join c11 / a: join c12 / a: join c13 / a: join c14 / a: join c15 / a: join c16
         ---
         a: join c17 #17
         a: join c16 #16
         a: part c01
         a: join c17",
        expect![[r#"
            a <- error limit in c17 #17
            a <- joined c16, 0 peers #16
            a <- parted c01
            a <- joined c17, 0 peers
        "#]],
    );
}

#[test]
fn joins_that_wait_for_a_decision_count_as_channels() {
    check_with(
        Limits { channels_per_peer: 2, ..Limits::default() },
        "policy for slow: is asked
         a: join slow #1
         a: join fast #2
         a: join other #3
         policy denies a slow
         a: join other #4",
        expect![[r#"
            policy <- a asks to join slow
            a <- joined fast, 0 peers #2
            a <- error limit in other #3
            a <- error unauthorized in slow #1
            a <- joined other, 0 peers #4
        "#]],
    );
}

#[test]
fn other_requests_that_wait_for_a_decision_do_not_count_as_channels() {
    check_with(
        Limits { channels_per_peer: 2, ..Limits::default() },
        "a: join lobby
         ---
         a: set lobby 1 / a: join other",
        expect![[r#"
            a <- joined other, 0 peers
        "#]],
    );
}

#[test]
fn capacity_is_cut_to_what_the_machine_allows() {
    check_with(
        Limits { members_per_channel: 2, ..Limits::default() },
        "policy for lobby: capacity 100
         policy for solo: capacity 1
         a b c: join lobby
         a b: join solo",
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- addPeer b in lobby, answer
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, offer
            c <- error channel_full in lobby
            a <- joined solo, 0 peers
            b <- error channel_full in solo
        "#]],
    );
}

#[test]
fn sixty_four_members_fit_by_default() {
    let names: Vec<_> = (1..=66).map(|number| format!("p{number}")).collect();
    let script =
        format!("{}: join lobby\n---\n{}: join lobby #1", names[..64].join(" "), names[64..].join(" "));
    check(
        &script,
        expect![[r#"
            p65 <- error channel_full in lobby #1
            p66 <- error channel_full in lobby #1
        "#]],
    );
}

#[test]
fn the_machine_has_a_bound_of_channels() {
    check_with(
        Limits { channels: 2, ..Limits::default() },
        "a: join c1
         a: join c2
         a: join c3 #3
         b: join c1 #1
         a: part c2
         a: join c3 #3",
        expect![[r#"
            a <- joined c1, 0 peers
            a <- joined c2, 0 peers
            a <- error limit in c3 #3
            a <- addPeer b in c1, answer
            b <- joined c1, 1 peer #1
            b <- addPeer a in c1, offer
            a <- parted c2
            a <- joined c3, 0 peers #3
        "#]],
    );
}

#[test]
fn the_bound_of_errors_of_form_can_be_set() {
    check_with(
        Limits { malformed_frames: 2, malformed_window: Duration::from_secs(1), ..Limits::default() },
        "a: rubbish / wait 1s / a: rubbish / wait 999ms / a: rubbish",
        expect![[r#"
            a <- error bad_message x3
            close a: 4005 protocol
            a ended: closed
        "#]],
    );
}

#[test]
fn a_pool_has_room_for_so_many_who_wait() {
    check_with(
        Limits { waiting_per_pool: 3, ..Limits::default() },
        "policy for trio: capacity 3
         a b c: match trio
         a b c: match trio leaving ~3
         ---
         d: match trio #1
         d: match other
         a: match trio
         a: cancel trio
         d: match trio #2",
        expect![[r#"
            d <- error limit in trio #1
            d <- waiting in other, 1
            a <- waiting in trio, 3
            b c <- waiting in trio, 2
            d <- waiting in trio, 3 #2
            b c <- waiting in trio, 3
        "#]],
    );
}

#[test]
fn whoever_completes_a_match_needs_no_room_to_wait() {
    check_with(
        Limits { waiting_per_pool: 1, ..Limits::default() },
        "policy for trio: capacity 3
         a b: match trio
         ---
         c: match trio",
        expect![[r#"
            a <- matched in trio: ~3
            a <- joined ~3, 2 peers
            a <- addPeer b in ~3, answer
            a <- addPeer c in ~3, answer
            b <- matched in trio: ~3
            b <- joined ~3, 2 peers
            b <- addPeer a in ~3, offer
            b <- addPeer c in ~3, answer
            c <- matched in trio: ~3
            c <- joined ~3, 2 peers
            c <- addPeer a in ~3, offer
            c <- addPeer b in ~3, offer
        "#]],
    );
}

#[test]
fn no_strangers_meet_in_a_channel_too_many() {
    check_with(
        Limits { channels: 1, ..Limits::default() },
        "a: match chat
         b: join lobby
         c: match chat #1
         b: part lobby
         c: match chat #2",
        expect![[r#"
            a <- waiting in chat, 1
            b <- joined lobby, 0 peers
            c <- error limit in chat #1
            b <- parted lobby
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer c in ~3, answer
            c <- matched in chat: ~3 #2
            c <- joined ~3, 1 peer
            c <- addPeer a in ~3, offer
        "#]],
    );
}
