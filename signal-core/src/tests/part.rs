use expect_test::expect;

use super::transcript::check;

#[test]
fn part_ends_each_introduction_on_both_sides() {
    check(
        "a b c: join lobby
         ---
         b: part lobby #2",
        expect![[r#"
            a c <- removePeer b from lobby, parted
            b <- parted lobby #2
            b <- removePeer a from lobby, parted
            b <- removePeer c from lobby, parted
        "#]],
    );
}

#[test]
fn parting_a_channel_one_is_not_in_is_answered_parted() {
    check(
        "a: part lobby #1
         a: join lobby
         b: part lobby
         a: part lobby / a: part lobby #2",
        expect![[r#"
            a <- parted lobby #1
            a <- joined lobby, 0 peers
            b <- parted lobby
            a <- parted lobby
            a <- parted lobby #2
        "#]],
    );
}

#[test]
fn parting_one_of_two_shared_channels_leaves_the_other() {
    check(
        "a b: join lobby
         a b: join other
         ---
         a: part lobby
         a: relay offer b @other
         a: say other 1
         b: say lobby 2",
        expect![[r#"
            b <- removePeer a from lobby, parted
            a <- parted lobby
            a <- removePeer b from lobby, parted
            b <- offer from a @other
            b <- message from a in other: 1
        "#]],
    );
}

#[test]
fn nothing_reaches_a_peer_in_a_channel_that_it_has_parted() {
    check(
        "a b c: join lobby
         c: part lobby
         ---
         a: say lobby 1
         a: set lobby 2
         a: tell c 3
         c: say lobby 4 #4
         c: set lobby 5 #5
         c: tell a 6 #6
         b: part lobby
         publish lobby 7",
        expect![[r#"
            b <- message from a in lobby: 1
            b <- userdata of a in lobby: 2
            a <- error unknown_peer for c
            c <- error not_joined in lobby #4
            c <- error not_joined in lobby #5
            c <- error unknown_peer for a #6
            a <- removePeer b from lobby, parted
            b <- parted lobby
            b <- removePeer a from lobby, parted
            a <- message in lobby: 7
        "#]],
    );
}

#[test]
fn joining_after_a_part_makes_new_introductions() {
    check(
        "a b: join lobby
         ---
         show frames
         a: part lobby
         a: join lobby",
        expect![[r#"
            b <- {"type":"removePeer","channel":"lobby","peer_id":"a","reason":"parted"}
            a <- {"type":"parted","channel":"lobby"}
            a <- {"type":"removePeer","channel":"lobby","peer_id":"b","reason":"parted"}
            b <- {"type":"addPeer","channel":"lobby","peer_id":"a","should_create_offer":false,"connection_id":"7.4","userdata":null}
            a <- {"type":"joined","channel":"lobby","peers":1}
            a <- {"type":"addPeer","channel":"lobby","peer_id":"b","should_create_offer":true,"connection_id":"7.4","userdata":null}
        "#]],
    );
}
