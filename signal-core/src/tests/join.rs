use expect_test::expect;

use super::transcript::check;

#[test]
fn newcomer_offers_to_everyone_already_there() {
    check(
        "a: join lobby #1
         b: join lobby #1
         c: join lobby #1",
        expect![[r#"
            a <- joined lobby, 0 peers #1
            a <- addPeer b in lobby, answer
            b <- joined lobby, 1 peer #1
            b <- addPeer a in lobby, offer
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers #1
            c <- addPeer a in lobby, offer
            c <- addPeer b in lobby, offer
        "#]],
    );
}

#[test]
fn both_sides_of_an_introduction_are_told_the_position_of_the_later_join() {
    check(
        "show frames
         a: join lobby
         b: join other
         b: join lobby
         c: join lobby",
        expect![[r#"
            a <- {"type":"joined","channel":"lobby","peers":0}
            b <- {"type":"joined","channel":"other","peers":0}
            a <- {"type":"addPeer","channel":"lobby","peer_id":"b","should_create_offer":false,"connection_id":"7.3","userdata":null}
            b <- {"type":"joined","channel":"lobby","peers":1}
            b <- {"type":"addPeer","channel":"lobby","peer_id":"a","should_create_offer":true,"connection_id":"7.3","userdata":null}
            a b <- {"type":"addPeer","channel":"lobby","peer_id":"c","should_create_offer":false,"connection_id":"7.4","userdata":null}
            c <- {"type":"joined","channel":"lobby","peers":2}
            c <- {"type":"addPeer","channel":"lobby","peer_id":"a","should_create_offer":true,"connection_id":"7.4","userdata":null}
            c <- {"type":"addPeer","channel":"lobby","peer_id":"b","should_create_offer":true,"connection_id":"7.4","userdata":null}
        "#]],
    );
}

#[test]
fn a_channel_can_let_the_residents_offer() {
    check(
        "policy for lobby: resident
         a: join lobby
         b: join lobby
         c: join lobby",
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- addPeer b in lobby, offer
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, answer
            a b <- addPeer c in lobby, offer
            c <- joined lobby, 2 peers
            c <- addPeer a in lobby, answer
            c <- addPeer b in lobby, answer
        "#]],
    );
}

#[test]
fn settings_of_the_join_that_creates_a_channel_hold_until_it_is_empty() {
    check(
        "policy for lobby: resident, capacity 2
         a: join lobby
         policy for lobby: is default
         b: join lobby
         c: join lobby
         a b: part lobby
         ---
         c: join lobby
         b: join lobby
         a: join lobby",
        expect![[r#"
            c <- joined lobby, 0 peers
            c <- addPeer b in lobby, answer
            b <- joined lobby, 1 peer
            b <- addPeer c in lobby, offer
            c b <- addPeer a in lobby, answer
            a <- joined lobby, 2 peers
            a <- addPeer c in lobby, offer
            a <- addPeer b in lobby, offer
        "#]],
    );
}

#[test]
fn userdata_of_a_join_is_told_to_both_sides() {
    check(
        r#"a: join lobby {"name": "Ann"}
           b: join lobby "bob"
           c: join lobby null
           d: join lobby"#,
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- addPeer b in lobby, answer, "bob"
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, offer, {"name": "Ann"}
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers
            c <- addPeer a in lobby, offer, {"name": "Ann"}
            c <- addPeer b in lobby, offer, "bob"
            a b c <- addPeer d in lobby, answer
            d <- joined lobby, 3 peers
            d <- addPeer a in lobby, offer, {"name": "Ann"}
            d <- addPeer b in lobby, offer, "bob"
            d <- addPeer c in lobby, offer
        "#]],
    );
}

#[test]
fn identity_comes_from_the_embedder_and_stands_beside_what_the_peer_claims() {
    check(
        r#"a is "ann@example.org"
           a: join lobby {"identity":"bob@example.org"}
           b: join lobby {"identity":"ann@example.org"}"#,
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- addPeer b in lobby, answer, {"identity":"ann@example.org"}
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, offer, {"identity":"bob@example.org"}, is ann@example.org
        "#]],
    );
}

#[test]
fn joining_again_is_answered_with_everyone_who_is_there_and_nobody_else_is_told() {
    check(
        "a b c: join lobby
         ---
         b: join lobby #2",
        expect![[r#"
            b <- joined lobby, 2 peers #2
            b <- addPeer a in lobby, offer
            b <- addPeer c in lobby, answer
        "#]],
    );
}

#[test]
fn joining_again_repeats_the_connection_ids_and_roles() {
    check(
        "a b c: join lobby
         ---
         show frames
         b: join lobby",
        expect![[r#"
            b <- {"type":"joined","channel":"lobby","peers":2}
            b <- {"type":"addPeer","channel":"lobby","peer_id":"a","should_create_offer":true,"connection_id":"7.2","userdata":null}
            b <- {"type":"addPeer","channel":"lobby","peer_id":"c","should_create_offer":false,"connection_id":"7.3","userdata":null}
        "#]],
    );
}

#[test]
fn joining_again_with_userdata_replaces_it() {
    check(
        "a: join lobby 1
         b: join lobby 2
         ---
         a: join lobby 3 #1
         c: join lobby
         a: join lobby null #2
         d: join lobby",
        expect![[r#"
            b <- userdata of a in lobby: 3
            a <- joined lobby, 1 peer #1
            a <- addPeer b in lobby, answer, 2
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers
            c <- addPeer a in lobby, offer, 3
            c <- addPeer b in lobby, offer, 2
            b c <- userdata of a in lobby: null
            a <- joined lobby, 2 peers #2
            a <- addPeer b in lobby, answer, 2
            a <- addPeer c in lobby, answer
            a b c <- addPeer d in lobby, answer
            d <- joined lobby, 3 peers
            d <- addPeer a in lobby, offer
            d <- addPeer b in lobby, offer, 2
            d <- addPeer c in lobby, offer
        "#]],
    );
}

#[test]
fn joining_again_without_userdata_leaves_it() {
    check(
        "a: join lobby 1
         b: join lobby
         a: join lobby
         ---
         b: join lobby",
        expect![[r#"
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, offer, 1
        "#]],
    );
}

#[test]
fn joining_again_is_not_put_to_the_policy() {
    check(
        r#"a: join lobby
           policy for lobby: refuses "no more"
           a: join lobby 1 #2
           b: join lobby #1"#,
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- joined lobby, 0 peers #2
            b <- error unauthorized in lobby #1: no more
        "#]],
    );
}

#[test]
fn third_in_a_room_of_two_gets_channel_full() {
    check(
        "policy for duo: capacity 2
         a: join duo / b: join duo / c: join duo #1",
        expect![[r#"
            a <- joined duo, 0 peers
            a <- addPeer b in duo, answer
            b <- joined duo, 1 peer
            b <- addPeer a in duo, offer
            c <- error channel_full in duo #1
        "#]],
    );
}

#[test]
fn capacity_holds_in_a_storm() {
    check(
        "policy for duo: capacity 2
         a b c d e: join duo #1",
        expect![[r#"
            a <- joined duo, 0 peers #1
            a <- addPeer b in duo, answer
            b <- joined duo, 1 peer #1
            b <- addPeer a in duo, offer
            c <- error channel_full in duo #1
            d <- error channel_full in duo #1
            e <- error channel_full in duo #1
        "#]],
    );
}

#[test]
fn a_seat_that_is_given_up_can_be_taken() {
    check(
        "policy for duo: capacity 2
         a b: join duo
         ---
         c: join duo
         a: part duo
         c: join duo",
        expect![[r#"
            c <- error channel_full in duo
            b <- removePeer a from duo, parted
            a <- parted duo
            a <- removePeer b from duo, parted
            b <- addPeer c in duo, answer
            c <- joined duo, 1 peer
            c <- addPeer b in duo, offer
        "#]],
    );
}

#[test]
fn detached_members_keep_their_seats() {
    check(
        "policy for duo: capacity 2
         a b: join duo
         ---
         a detaches
         c: join duo #1
         wait 15s
         c: join duo #2",
        expect![[r#"
            c <- error channel_full in duo #1
            b <- removePeer a from duo, timeout
            a ended: timeout
            b <- addPeer c in duo, answer
            c <- joined duo, 1 peer #2
            c <- addPeer b in duo, offer
        "#]],
    );
}

#[test]
fn a_channel_without_seats_seats_nobody() {
    check(
        "policy for none: capacity 0
         a: join none
         policy for none: is default
         a: join none",
        expect![[r#"
            a <- error channel_full in none
            a <- joined none, 0 peers
        "#]],
    );
}

#[test]
fn policy_can_refuse_a_join_in_its_own_words() {
    check(
        r#"policy for staff: refuses "Staff only."
           a: join staff #1
           a: say staff 1
           b: join staff"#,
        expect![[r#"
            a <- error unauthorized in staff #1: Staff only.
            a <- error not_joined in staff
            b <- error unauthorized in staff: Staff only.
        "#]],
    );
}

#[test]
fn peers_of_different_channels_do_not_hear_of_each_other() {
    check(
        "a: join lobby
         b: join Lobby
         c: join other
         a b c: say lobby 1 #1",
        expect![[r#"
            a <- joined lobby, 0 peers
            b <- joined Lobby, 0 peers
            c <- joined other, 0 peers
            a <- ok #1
            b <- error not_joined in lobby #1
            c <- error not_joined in lobby #1
        "#]],
    );
}

#[test]
fn members_stand_in_join_order() {
    check(
        "c b a: join lobby
         b: part lobby
         b: join lobby
         ---
         d: join lobby",
        expect![[r#"
            c a b <- addPeer d in lobby, answer
            d <- joined lobby, 3 peers
            d <- addPeer c in lobby, offer
            d <- addPeer a in lobby, offer
            d <- addPeer b in lobby, offer
        "#]],
    );
}
