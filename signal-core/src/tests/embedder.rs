use expect_test::expect;

use super::transcript::check;

#[test]
fn a_kicked_peer_is_told_and_keeps_its_session() {
    check(
        "a b c: join lobby
         a b: join other
         ---
         kick a lobby
         a: say other 1
         a: join lobby",
        expect![[r#"
            b c <- removePeer a from lobby, kicked
            a <- parted lobby
            a <- removePeer b from lobby, kicked
            a <- removePeer c from lobby, kicked
            b <- message from a in other: 1
            b c <- addPeer a in lobby, answer
            a <- joined lobby, 2 peers
            a <- addPeer b in lobby, offer
            a <- addPeer c in lobby, offer
        "#]],
    );
}

#[test]
fn kicking_a_peer_from_a_channel_it_is_not_in_does_nothing() {
    check(
        "a: join lobby
         b: join other
         ---
         kick a other
         kick a nowhere",
        expect![],
    );
}

#[test]
fn a_detached_peer_can_be_kicked() {
    check(
        "a b: join lobby
         a detaches
         ---
         kick a lobby
         wait 15s",
        expect![[r#"
            b <- removePeer a from lobby, kicked
            a <- parted lobby
            a <- removePeer b from lobby, kicked
            a ended: timeout
        "#]],
    );
}

#[test]
fn the_embedder_can_speak_to_a_channel_and_to_a_peer() {
    check(
        "a b: join lobby
         c: join other
         ---
         publish lobby \"all\"
         publish to c \"one\"
         publish nowhere \"nobody\"
         c detaches
         publish other \"later\"",
        expect![[r#"
            a b <- message in lobby: "all"
            c <- message: "one"
            c <- message in other: "later"
        "#]],
    );
}

#[test]
fn the_embedder_hears_of_seats_and_sessions() {
    check(
        "show events
         a: join lobby / a: join lobby / a: join lobby 1
         a: join other
         b: join lobby
         a: part other
         kick b lobby
         b ends closed
         a: bye",
        expect![[r#"
            event: a joined lobby
            a <- joined lobby, 0 peers x3
            event: a joined other
            a <- joined other, 0 peers
            a <- addPeer b in lobby, answer
            event: b joined lobby
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, offer, 1
            event: a parted other, parted
            a <- parted other
            a <- removePeer b from lobby, kicked
            event: b parted lobby, kicked
            b <- parted lobby
            b <- removePeer a from lobby, kicked
            b ended: closed
            close a: 1000 bye
            event: a parted lobby, bye
            a ended: bye
        "#]],
    );
}

#[test]
fn each_seat_that_the_embedder_has_heard_of_is_parted_before_the_session_is_gone() {
    check(
        "show events
         a: join lobby / a: join other
         ---
         a detaches
         wait 15s",
        expect![[r#"
            event: a parted lobby, timeout
            event: a parted other, timeout
            a ended: timeout
        "#]],
    );
}
