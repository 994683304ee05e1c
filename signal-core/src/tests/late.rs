//! Policy and log that are too late, refuse, or answer when nobody waits any more.

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn a_policy_that_takes_five_seconds_is_unavailable() {
    check(
        "policy for lobby: is asked
         a: join lobby #1
         a: say lobby 1 #2
         wait 4999ms
         wait 1ms
         policy allows a lobby
         a: join lobby #3
         wait 4s
         policy allows a lobby",
        expect![[r#"
            policy <- a asks to join lobby
            a <- error unavailable in lobby #1
            a <- error not_joined in lobby #2
            policy <- a asks to join lobby
            a <- joined lobby, 0 peers #3
        "#]],
    );
}

#[test]
fn a_log_that_takes_ten_seconds_is_unavailable() {
    check(
        "log holds
         a: join lobby #1
         a: say lobby 1 #2
         wait 9999ms
         wait 1ms
         a: join lobby #3
         a: part lobby #4
         a: set lobby 5 #5
         a: say lobby 6 #6",
        expect![[r#"
            log <- join lobby a
            a <- error unavailable in lobby #1
            a <- error unavailable in lobby #2
            a <- error unavailable in lobby #3
            a <- error unavailable in lobby #4
            a <- error unavailable in lobby #5
            a <- error unavailable in lobby #6
        "#]],
    );
}

#[test]
fn a_seat_that_is_given_too_late_is_given_back() {
    check(
        "b: join lobby
         log holds
         a: join lobby #1
         wait 10s
         ---
         log commits
         a: join lobby #2
         log commits
         log commits",
        expect![[r#"
            b <- addPeer a in lobby, answer
            log <- part lobby a, parted
            b <- removePeer a from lobby, parted
            log <- join lobby a
            b <- addPeer a in lobby, answer
            a <- joined lobby, 1 peer #2
            a <- addPeer b in lobby, offer
        "#]],
    );
}

#[test]
fn a_seat_that_is_given_too_late_is_given_back_whatever_another_machine_has_written_before() {
    check(
        "log holds
         a: join lobby / b: match chat
         wait 10s
         ---
         remote a parts lobby timeout / remote b cancels chat
         a b: bye
         log commits all",
        expect![[r#"
            close a: 1000 bye
            close b: 1000 bye
            log <- part lobby a, bye
            log <- cancel chat b
            a ended: bye
            b ended: bye
        "#]],
    );
}

#[test]
fn a_part_that_is_committed_too_late_takes_effect() {
    check(
        "a b: join lobby
         log holds
         ---
         a: part lobby #1
         wait 10s
         a: join lobby #2
         log commits
         a: part lobby #3",
        expect![[r#"
            log <- part lobby a, parted
            a <- error unavailable in lobby #1
            a <- error unavailable in lobby #2
            b <- removePeer a from lobby, parted
            a <- parted lobby
            a <- removePeer b from lobby, parted
            a <- parted lobby #3
        "#]],
    );
}

#[test]
fn userdata_that_is_committed_too_late_takes_effect() {
    check(
        "a b: join lobby
         log holds
         ---
         a: set lobby 1 #1
         wait 10s
         log commits
         a: join lobby 2 #2
         wait 10s
         log commits
         a: join lobby #3",
        expect![[r#"
            log <- update lobby a 1
            a <- error unavailable in lobby #1
            b <- userdata of a in lobby: 1
            log <- update lobby a 2
            a <- error unavailable in lobby #2
            b <- userdata of a in lobby: 2
            a <- joined lobby, 1 peer #3
            a <- addPeer b in lobby, answer
        "#]],
    );
}

#[test]
fn a_late_refusal_is_not_answered_again_and_ends_the_waiting() {
    check(
        "a b: join lobby
         log holds
         ---
         a: part lobby #1
         wait 10s
         log refuses
         a: say lobby 1 #2
         c: join lobby #3
         wait 10s
         log refuses
         c: join lobby #4
         log commits",
        expect![[r#"
            log <- part lobby a, parted
            a <- error unavailable in lobby #1
            b <- message from a in lobby: 1
            a <- ok #2
            log <- join lobby c
            c <- error unavailable in lobby #3
            log <- join lobby c
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers #4
            c <- addPeer a in lobby, offer
            c <- addPeer b in lobby, offer
        "#]],
    );
}

#[test]
fn what_the_log_refuses_is_unavailable() {
    check(
        "b: join lobby
         log holds
         ---
         a: join lobby #1
         a: say lobby 1 #2
         log refuses
         b: set lobby 1 #3
         log refuses
         b: join lobby 2 #4
         log refuses
         b: part lobby #5
         b: say lobby 1 #6
         log refuses",
        expect![[r#"
            log <- join lobby a
            a <- error unavailable in lobby #1
            a <- error not_joined in lobby #2
            log <- update lobby b 1
            b <- error unavailable in lobby #3
            log <- update lobby b 2
            b <- error unavailable in lobby #4
            log <- part lobby b, parted
            b <- error unavailable in lobby #5
            b <- ok #6
        "#]],
    );
}

#[test]
fn what_waits_for_a_kick_survives_its_refusal() {
    check_with(
        Limits { waiting_messages: 2, ..Limits::default() },
        "a b: join lobby
         log holds
         ---
         kick a lobby
         a: say lobby 1 #1
         a: join lobby #2
         log refuses
         wait 1s
         log commits
         log commits
         a: say lobby 3 #3",
        expect![[r#"
            log <- part lobby a, kicked
            hold a
            log <- part lobby a, kicked
            b <- removePeer a from lobby, kicked
            a <- parted lobby
            a <- removePeer b from lobby, kicked
            a <- error not_joined in lobby #1
            release a
            log <- join lobby a
            b <- addPeer a in lobby, answer
            a <- joined lobby, 1 peer #2
            a <- addPeer b in lobby, offer
            b <- message from a in lobby: 3
            a <- ok #3
        "#]],
    );
}

#[test]
fn a_kick_is_not_lost_when_what_it_waits_for_is_unavailable() {
    check(
        "a b: join lobby
         log holds
         ---
         a: set lobby 1 #1
         kick a lobby
         wait 10s
         log commits
         log commits
         a: join lobby #2
         wait 10s
         kick a lobby
         log refuses",
        expect![[r#"
            log <- update lobby a 1
            a <- error unavailable in lobby #1
            b <- userdata of a in lobby: 1
            log <- part lobby a, kicked
            b <- removePeer a from lobby, kicked
            a <- parted lobby
            a <- removePeer b from lobby, kicked
            log <- join lobby a
            a <- error unavailable in lobby #2
        "#]],
    );
}

#[test]
fn an_answer_to_what_nobody_asks_any_more_has_no_effect() {
    check(
        "policy for lobby: is asked
         a: join lobby #1
         wait 5s
         a: join lobby #2
         policy denies a lobby
         policy allows a lobby
         b: join lobby #3
         wait 5s
         policy denies b lobby",
        expect![[r#"
            policy <- a asks to join lobby
            a <- error unavailable in lobby #1
            policy <- a asks to join lobby
            a <- joined lobby, 0 peers #2
            policy <- b asks to join lobby
            b <- error unavailable in lobby #3
        "#]],
    );
}

#[test]
fn over_a_slow_log_a_part_that_another_machine_has_forestalled_decides_nothing() {
    check(
        "log holds
         a: join lobby / a: join stage / log commits all
         policy for lobby: is asked
         ---
         a: part lobby #2 / a: part stage #2
         remote a parts lobby kicked / remote a parts stage kicked
         a: join lobby #3 / a: join stage #3
         log commits all
         policy allows a lobby / log commits",
        expect![[r#"
            log <- part lobby a, parted
            log <- part stage a, parted
            a <- parted lobby #2
            a <- parted stage #2
            policy <- a asks to join lobby
            log <- join stage a
            a <- joined stage, 0 peers #3
            log <- join lobby a
            a <- joined lobby, 0 peers #3
        "#]],
    );
}
