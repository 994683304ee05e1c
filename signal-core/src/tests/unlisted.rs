use expect_test::expect;

use super::transcript::check;

#[test]
fn nobody_is_introduced_in_an_unlisted_channel() {
    check(
        "policy for yard: unlisted
         a b: join yard 1 #1
         a: set yard 2 #2
         a: join yard #3
         a: join yard 3 #4
         b: part yard #5
         a ends closed",
        expect![[r#"
            a <- joined yard, 0 peers #1
            b <- joined yard, 0 peers #1
            a <- ok #2
            a <- joined yard, 0 peers #3
            a <- joined yard, 0 peers #4
            b <- parted yard #5
            a ended: closed
        "#]],
    );
}

#[test]
fn members_of_an_unlisted_channel_address_each_other_by_id() {
    check(
        "policy for yard: unlisted
         a b: join yard
         ---
         a: relay offer b
         b: relay candidate a attempt 1 #1
         a: tell b 1
         a: tell c 2
         b: part yard
         a: relay offer b",
        expect![[r#"
            b <- offer from a
            a <- candidate from b attempt 1
            b <- ok #1
            b <- message from a: 1
            a <- error unknown_peer for c
            b <- parted yard
            a <- error unknown_peer for b
        "#]],
    );
}

#[test]
fn a_message_to_an_unlisted_channel_reaches_all_other_members() {
    check(
        "policy for yard: unlisted
         a b c: join yard
         ---
         a: say yard 1 #1
         publish yard 2",
        expect![[r#"
            b c <- message from a in yard: 1
            a <- ok #1
            a b c <- message in yard: 2
        "#]],
    );
}

#[test]
fn connection_ids_in_an_unlisted_channel_are_stale_unless_they_come_from_another_channel() {
    check(
        "policy for yard: unlisted
         a b c: join yard
         a b: join lobby
         ---
         a: relay offer b @7.2
         a: relay offer b @lobby
         a: relay offer c @7.3 #1
         a: relay offer c @lobby.x #2
         a: relay offer c",
        expect![[r#"
            a <- error stale_connection for b @7.2
            b <- offer from a @lobby
            a <- error stale_connection for c @7.3 #1
            a <- error stale_connection for c @lobby.x #2
            c <- offer from a
        "#]],
    );
}

#[test]
fn an_unlisted_channel_has_a_capacity_too() {
    check(
        "policy for yard: unlisted, capacity 1
         a b: join yard",
        expect![[r#"
            a <- joined yard, 0 peers
            b <- error channel_full in yard
        "#]],
    );
}
