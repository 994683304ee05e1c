//! What waits for what, while policy and log take their time.

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn nobody_is_told_before_the_log_has_decided() {
    check(
        "a: join lobby
         log holds
         b: join lobby #1
         log commits
         a: set lobby 1 #2
         log commits
         b: part lobby #3
         log commits",
        expect![[r#"
            a <- joined lobby, 0 peers
            log <- join lobby b
            a <- addPeer b in lobby, answer
            b <- joined lobby, 1 peer #1
            b <- addPeer a in lobby, offer
            log <- update lobby a 1
            b <- userdata of a in lobby: 1
            a <- ok #2
            log <- part lobby b, parted
            a <- removePeer b from lobby, parted
            b <- parted lobby #3
            b <- removePeer a from lobby, parted
        "#]],
    );
}

#[test]
fn messages_wait_while_the_policy_decides_on_a_join() {
    check(
        r#"policy for lobby: is asked
           a: join lobby {"name":"Ann"} #1
           a: say lobby 1 #2
           a: set lobby 2 #3
           a: part lobby #4
           policy allows a lobby"#,
        expect![[r#"
            policy <- a asks to join lobby {"name":"Ann"}
            a <- joined lobby, 0 peers #1
            a <- ok #2
            a <- ok #3
            a <- parted lobby #4
        "#]],
    );
}

#[test]
fn messages_wait_while_the_log_decides_on_a_join() {
    check(
        "b: join lobby
         log holds
         ---
         a: join lobby #1
         a: say lobby 1 #2
         a: set lobby 2 #3
         a: part lobby #4
         a: say lobby 3 #5
         a: join lobby #6
         log commits
         log commits
         log commits
         log commits",
        expect![[r#"
            log <- join lobby a
            b <- addPeer a in lobby, answer
            a <- joined lobby, 1 peer #1
            a <- addPeer b in lobby, offer
            b <- message from a in lobby: 1
            a <- ok #2
            log <- update lobby a 2
            b <- userdata of a in lobby: 2
            a <- ok #3
            log <- part lobby a, parted
            b <- removePeer a from lobby, parted
            a <- parted lobby #4
            a <- removePeer b from lobby, parted
            a <- error not_joined in lobby #5
            log <- join lobby a
            b <- addPeer a in lobby, answer
            a <- joined lobby, 1 peer #6
            a <- addPeer b in lobby, offer
        "#]],
    );
}

#[test]
fn a_part_never_overtakes_its_join() {
    check(
        "policy for lobby: is asked
         log holds
         a: join lobby #1
         a: part lobby #2
         policy allows a lobby
         log commits
         log commits",
        expect![[r#"
            policy <- a asks to join lobby
            log <- join lobby a
            a <- joined lobby, 0 peers #1
            log <- part lobby a, parted
            a <- parted lobby #2
        "#]],
    );
}

#[test]
fn a_message_that_waited_for_a_join_that_fails_is_answered_for_one_outside() {
    check(
        "policy for lobby: is asked
         a: join lobby #1
         a: say lobby 1 #2
         a: set lobby 2 #3
         a: part lobby #4
         a: join lobby #5
         policy denies a lobby
         policy allows a lobby",
        expect![[r#"
            policy <- a asks to join lobby
            a <- error unauthorized in lobby #1
            a <- error not_joined in lobby #2
            a <- error not_joined in lobby #3
            a <- parted lobby #4
            policy <- a asks to join lobby
            a <- joined lobby, 0 peers #5
        "#]],
    );
}

#[test]
fn other_channels_and_messages_to_peers_do_not_wait() {
    check(
        "a b: join other
         policy for lobby: is asked
         ---
         a: join lobby #1
         a: relay offer b @other #2
         a: tell b 1 #3
         a: say other 2 #4
         a: part other #5
         policy allows a lobby",
        expect![[r#"
            policy <- a asks to join lobby
            b <- offer from a @other
            a <- ok #2
            b <- message from a: 1
            a <- ok #3
            b <- message from a in other: 2
            a <- ok #4
            b <- removePeer a from other, parted
            a <- parted other #5
            a <- removePeer b from other, parted
            a <- joined lobby, 0 peers #1
        "#]],
    );
}

#[test]
fn a_join_is_answered_with_the_members_and_userdata_of_its_place_in_the_log() {
    check(
        "b: join lobby 1
         c: join lobby
         log holds
         ---
         a: join lobby #1
         b: set lobby 2
         c: part lobby
         d: join lobby
         log commits
         log commits
         log commits
         log commits",
        expect![[r#"
            log <- join lobby a
            log <- update lobby b 2
            log <- part lobby c, parted
            log <- join lobby d
            b c <- addPeer a in lobby, answer
            a <- joined lobby, 2 peers #1
            a <- addPeer b in lobby, offer, 1
            a <- addPeer c in lobby, offer
            c a <- userdata of b in lobby: 2
            b a <- removePeer c from lobby, parted
            c <- parted lobby
            c <- removePeer b from lobby, parted
            c <- removePeer a from lobby, parted
            b a <- addPeer d in lobby, answer
            d <- joined lobby, 2 peers
            d <- addPeer b in lobby, offer, 2
            d <- addPeer a in lobby, offer
        "#]],
    );
}

#[test]
fn a_join_goes_on_while_the_socket_is_lost() {
    check(
        "b: join lobby
         policy for lobby: is asked
         log holds
         ---
         a: join lobby #1
         a detaches
         policy allows a lobby
         log commits
         a resumes
         a: tell b 1 #2",
        expect![[r#"
            policy <- a asks to join lobby
            log <- join lobby a
            b <- addPeer a in lobby, answer
            a <- joined lobby, 1 peer #1
            a <- addPeer b in lobby, offer
            b <- message from a: 1
            a <- ok #2
        "#]],
    );
}

#[test]
fn the_socket_is_not_read_while_sixteen_messages_wait() {
    check(
        "policy for lobby: is asked
         a: join lobby #1
         a: say lobby 1 x15
         a: say lobby 16
         a: say lobby 17 #17
         a: tell b 1
         policy allows a lobby
         a: say lobby 18 #18",
        expect![[r#"
            policy <- a asks to join lobby
            hold a
            a <- error limit in lobby #17
            a <- error unknown_peer for b
            a <- joined lobby, 0 peers #1
            release a
            a <- ok #18
        "#]],
    );
}

#[test]
fn messages_that_wait_are_counted_over_all_channels_of_a_session() {
    check(
        "policy for one: is asked
         policy for two: is asked
         a: join one / a: join two
         a: say one 1 x8
         a: say two 2 x8
         a: say one 3 #3
         policy denies a two
         b: join three / b: say three 4 #4",
        expect![[r#"
            policy <- a asks to join one
            policy <- a asks to join two
            hold a
            a <- error limit in one #3
            a <- error unauthorized in two
            a <- error not_joined in two x8
            release a
            b <- joined three, 0 peers
            b <- ok #4
        "#]],
    );
}

#[test]
fn what_waits_goes_on_waiting_for_the_next_decision() {
    check(
        "log holds
         a: join lobby
         a: set lobby 1 x20 / a: say lobby 2
         log commits
         log commits all",
        expect![[r#"
            log <- join lobby a
            hold a
            a <- error limit in lobby x5
            a <- joined lobby, 0 peers
            log <- update lobby a 1
            release a
            log <- update lobby a 1 x15
        "#]],
    );
}

#[test]
fn a_kick_waits_like_a_message_but_is_not_counted() {
    check_with(
        Limits { waiting_messages: 2, ..Limits::default() },
        "log holds
         a: join lobby #1
         a: set lobby 1 #2
         kick a lobby / kick a lobby
         a: join lobby #3
         a: part lobby #4
         log commits
         log commits
         log commits
         log commits
         log commits all",
        expect![[r#"
            log <- join lobby a
            hold a
            a <- error limit in lobby #4
            a <- joined lobby, 0 peers #1
            log <- update lobby a 1
            release a
            a <- ok #2
            log <- part lobby a, kicked
            a <- parted lobby
            log <- join lobby a
            a <- joined lobby, 0 peers #3
        "#]],
    );
}

#[test]
fn a_kick_before_the_policy_has_decided_takes_effect_after_the_join() {
    check(
        "policy for lobby: is asked
         a: join lobby #1
         kick a lobby
         policy allows a lobby
         a: join lobby #2
         kick a lobby
         policy denies a lobby",
        expect![[r#"
            policy <- a asks to join lobby
            a <- joined lobby, 0 peers #1
            a <- parted lobby
            policy <- a asks to join lobby
            a <- error unauthorized in lobby #2
        "#]],
    );
}

#[test]
fn what_is_said_after_a_kick_waits_for_it() {
    check(
        "a b: join lobby
         log holds
         ---
         kick a lobby
         a: say lobby 1 #1
         a: join lobby #2
         log commits all",
        expect![[r#"
            log <- part lobby a, kicked
            b <- removePeer a from lobby, kicked
            a <- parted lobby
            a <- removePeer b from lobby, kicked
            a <- error not_joined in lobby #1
            log <- join lobby a
            b <- addPeer a in lobby, answer
            a <- joined lobby, 1 peer #2
            a <- addPeer b in lobby, offer
        "#]],
    );
}
