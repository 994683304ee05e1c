//! Entries that other machines have put into the log.

use expect_test::expect;

use super::transcript::check;

#[test]
fn members_on_other_machines_are_introduced_like_any_other() {
    check(
        "remote r joins lobby 1
         a: join lobby
         remote s joins lobby
         remote r updates lobby 2
         b: join lobby
         remote r parts lobby timeout",
        expect![[r#"
            a <- joined lobby, 1 peer
            a <- addPeer r in lobby, offer, 1
            a <- addPeer s in lobby, answer
            a <- userdata of r in lobby: 2
            a <- addPeer b in lobby, answer
            b <- joined lobby, 3 peers
            b <- addPeer r in lobby, offer, 2
            b <- addPeer a in lobby, offer
            b <- addPeer s in lobby, offer
            a b <- removePeer r from lobby, timeout
        "#]],
    );
}

#[test]
fn members_on_other_machines_take_seats() {
    check(
        "policy for duo: capacity 2
         a: join duo
         remote r joins duo
         ---
         b: join duo #1
         remote s joins duo
         remote r parts duo bye
         b: join duo #2",
        expect![[r#"
            b <- error channel_full in duo #1
            a <- removePeer r from duo, bye
            a <- addPeer b in duo, answer
            b <- joined duo, 1 peer #2
            b <- addPeer a in duo, offer
        "#]],
    );
}

#[test]
fn settings_come_from_whoever_creates_the_channel() {
    check(
        "policy for lobby: resident, capacity 1
         remote r joins lobby
         a: join lobby",
        expect![[r#"
            a <- joined lobby, 1 peer
            a <- addPeer r in lobby, offer
        "#]],
    );
}

#[test]
fn an_entry_about_somebody_who_is_not_a_member_changes_nothing() {
    check(
        "a: join lobby
         ---
         remote r parts lobby bye
         remote r updates lobby 1
         remote r parts nowhere bye
         remote r joins lobby
         remote r joins lobby
         remote r joins lobby 2",
        expect![[r#"
            a <- addPeer r in lobby, answer
            a <- userdata of r in lobby: 2
        "#]],
    );
}

#[test]
fn a_channel_of_remote_members_alone_is_followed() {
    check(
        "policy for lobby: resident
         a: join lobby
         remote r joins lobby
         a: part lobby
         policy for lobby: is default
         ---
         b: join lobby",
        expect![[r#"
            b <- joined lobby, 1 peer
            b <- addPeer r in lobby, answer
        "#]],
    );
}

#[test]
fn a_part_by_another_machine_ends_a_seat_here_and_answers_what_is_asked_there() {
    check(
        "a b c: join lobby
         log holds
         ---
         a: set lobby 1 #1
         b: join lobby 2 #2
         remote a parts lobby kicked
         remote b parts lobby kicked
         log commits all",
        expect![[r#"
            log <- update lobby a 1
            log <- update lobby b 2
            b c <- removePeer a from lobby, kicked
            a <- parted lobby
            a <- removePeer b from lobby, kicked
            a <- removePeer c from lobby, kicked
            a <- error unavailable in lobby #1
            c <- removePeer b from lobby, kicked
            b <- parted lobby
            b <- removePeer c from lobby, kicked
            b <- error unavailable in lobby #2
        "#]],
    );
}

#[test]
fn the_log_decides_who_comes_first() {
    check(
        "log holds
         policy for duo: capacity 2
         a: join duo #1
         b: join duo #1
         remote r joins duo
         log commits all",
        expect![[r#"
            log <- join duo a
            log <- join duo b
            a <- joined duo, 1 peer #1
            a <- addPeer r in duo, offer
            a <- addPeer b in duo, answer
            b <- joined duo, 2 peers #1
            b <- addPeer r in duo, offer
            b <- addPeer a in duo, offer
        "#]],
    );
}

#[test]
fn what_another_machine_asks_for_in_the_name_of_a_peer_is_given_back() {
    check(
        "log holds
         policy for lobby: is asked
         policy for chat: is asked
         a: join lobby #1 / a: match chat #2
         remote a joins lobby
         remote a matches chat ~r
         remote a updates lobby 1
         policy allows a lobby / policy allows a chat
         log commits all",
        expect![[r#"
            policy <- a asks to join lobby
            policy <- a asks to match in chat
            log <- part lobby a, parted
            log <- cancel chat a
            log <- join lobby a
            log <- match chat a ~1
            a <- joined lobby, 0 peers #1
            a <- waiting in chat, 1 #2
        "#]],
    );
}
