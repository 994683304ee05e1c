//! Sessions that end while policy or log have not decided on what they have asked for.

use expect_test::expect;

use super::transcript::check;

#[test]
fn a_session_that_ends_before_the_policy_has_decided_leaves_nothing() {
    check(
        "policy for lobby: is asked
         b: join other
         a: join lobby
         a ends closed
         policy allows a lobby
         a: join lobby
         wait 10s",
        expect![[r#"
            b <- joined other, 0 peers
            policy <- a asks to join lobby
            a ended: closed
            policy <- a asks to join lobby
            a <- error unavailable in lobby
        "#]],
    );
}

#[test]
fn a_session_that_ends_before_the_log_has_decided_parts_when_it_has() {
    check(
        "b: join lobby
         log holds
         ---
         a: join lobby #1
         a: say lobby 1 #2
         a ends closed
         wait 60s
         log commits
         log commits",
        expect![[r#"
            log <- join lobby a
            b <- addPeer a in lobby, answer
            log <- part lobby a, closed
            b <- removePeer a from lobby, closed
            a ended: closed
        "#]],
    );
}

#[test]
fn a_session_that_ends_before_its_join_fails_is_gone_when_it_has() {
    check(
        "policy for full: capacity 0
         log holds
         a: join full
         a ends closed
         log commits
         b: join lobby
         b ends kicked
         log refuses",
        expect![[r#"
            log <- join full a
            a ended: closed
            log <- join lobby b
            b ended: kicked
        "#]],
    );
}

#[test]
fn a_held_socket_of_a_session_that_has_ended_is_not_released() {
    check(
        "log holds
         a: join lobby / a: say lobby 1 x16
         a: bye
         log commits all",
        expect![[r#"
            log <- join lobby a
            hold a
            close a: 1000 bye
            log <- part lobby a, bye
            a ended: bye
        "#]],
    );
}

#[test]
fn a_session_that_has_ended_neither_speaks_nor_hears_while_its_seats_are_given_up() {
    check(
        "a b: join lobby
         log holds
         a ends closed
         ---
         a: tell b 1 #1 / a: say lobby 1 #2 / a: set lobby 2 #3 / a: part lobby #4 / a: join lobby #5
         a: join other #6 / a: relay offer b #7 / a: rubbish #8 / a: hello #9 / a: bye
         a detaches / a resumes / a ends kicked / kick a lobby
         b: say lobby 1 / publish lobby 2 / publish to a 3
         b: relay offer a @lobby
         wait 60s
         log commits all",
        expect![[r#"
            b <- message in lobby: 2
            b <- error unknown_peer for a @lobby
            b <- removePeer a from lobby, closed
            a ended: closed
        "#]],
    );
}

#[test]
fn a_session_that_ends_while_its_part_is_pending_parts_once() {
    check(
        "a b: join lobby
         log holds
         ---
         a: part lobby #1
         a ends closed
         log commits",
        expect![[r#"
            log <- part lobby a, parted
            b <- removePeer a from lobby, parted
            a ended: closed
        "#]],
    );
}

#[test]
fn a_session_that_ends_while_its_userdata_is_pending_parts_afterwards() {
    check(
        "a b: join lobby
         log holds
         ---
         a: set lobby 1
         a ends closed
         log commits
         log commits",
        expect![[r#"
            log <- update lobby a 1
            b <- userdata of a in lobby: 1
            log <- part lobby a, closed
            b <- removePeer a from lobby, closed
            a ended: closed
        "#]],
    );
}

#[test]
fn a_seat_is_given_up_again_until_the_log_takes_it() {
    check(
        "a b: join lobby
         log holds
         ---
         a ends closed
         log refuses
         wait 999ms
         wait 1ms
         log refuses
         wait 1s
         log commits",
        expect![[r#"
            log <- part lobby a, closed x3
            b <- removePeer a from lobby, closed
            a ended: closed
        "#]],
    );
}

#[test]
fn a_session_that_ends_while_the_log_refuses_its_part_gives_up_the_seat() {
    check(
        "a b c: join lobby
         log holds
         ---
         a: part lobby
         a ends closed
         log refuses
         b: set lobby 1
         b ends closed
         log refuses
         wait 1s
         log commits all",
        expect![[r#"
            log <- part lobby a, parted
            log <- update lobby b 1
            log <- part lobby a, closed
            log <- part lobby b, closed
            c <- removePeer a from lobby, closed
            a ended: closed
            c <- removePeer b from lobby, closed
            b ended: closed
        "#]],
    );
}

#[test]
fn a_session_that_ends_after_it_was_told_unavailable_gives_up_the_seat() {
    check(
        "a b c: join lobby
         log holds
         ---
         a: part lobby #1
         b: set lobby 1 #2
         wait 10s
         a ends closed
         b ends closed
         log refuses
         log refuses
         wait 1s
         log commits all",
        expect![[r#"
            log <- part lobby a, parted
            log <- update lobby b 1
            a <- error unavailable in lobby #1
            b <- error unavailable in lobby #2
            log <- part lobby a, closed
            log <- part lobby b, closed
            c <- removePeer a from lobby, closed
            a ended: closed
            c <- removePeer b from lobby, closed
            b ended: closed
        "#]],
    );
}

#[test]
fn a_session_whose_join_was_unavailable_and_is_committed_after_its_end_parts() {
    check(
        "b: join lobby
         log holds
         ---
         a: join lobby #1
         wait 10s
         a ends kicked
         log commits
         log commits",
        expect![[r#"
            log <- join lobby a
            a <- error unavailable in lobby #1
            b <- addPeer a in lobby, answer
            log <- part lobby a, kicked
            b <- removePeer a from lobby, kicked
            a ended: kicked
        "#]],
    );
}
