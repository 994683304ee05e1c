use expect_test::expect;

use super::transcript::check;

#[test]
fn new_userdata_is_told_to_those_introduced_and_to_newcomers() {
    check(
        r#"a: join lobby 1
           b: join lobby 2
           ---
           a: set lobby {"muted":true} #1
           c: join lobby
           a: set lobby null
           d: join lobby"#,
        expect![[r#"
            b <- userdata of a in lobby: {"muted":true}
            a <- ok #1
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers
            c <- addPeer a in lobby, offer, {"muted":true}
            c <- addPeer b in lobby, offer, 2
            b c <- userdata of a in lobby: null
            a b c <- addPeer d in lobby, answer
            d <- joined lobby, 3 peers
            d <- addPeer a in lobby, offer
            d <- addPeer b in lobby, offer, 2
            d <- addPeer c in lobby, offer
        "#]],
    );
}

#[test]
fn userdata_belongs_to_one_channel() {
    check(
        "a b: join lobby
         a b: join other
         ---
         a: set other 1
         c: join lobby",
        expect![[r#"
            b <- userdata of a in other: 1
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers
            c <- addPeer a in lobby, offer
            c <- addPeer b in lobby, offer
        "#]],
    );
}

#[test]
fn userdata_of_a_channel_one_is_not_in_is_not_joined() {
    check(
        "a: set lobby 1 #1
         b: join lobby
         a: set lobby 1 #2",
        expect![[r#"
            a <- error not_joined in lobby #1
            b <- joined lobby, 0 peers
            a <- error not_joined in lobby #2
        "#]],
    );
}

#[test]
fn userdata_does_not_survive_a_part() {
    check(
        "a: join lobby 1
         a: part lobby / a: join lobby
         ---
         b: join lobby",
        expect![[r#"
            a <- addPeer b in lobby, answer
            b <- joined lobby, 1 peer
            b <- addPeer a in lobby, offer
        "#]],
    );
}
