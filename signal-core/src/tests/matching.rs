//! Strangers who meet.

use std::time::Duration;

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::Limits;

#[test]
fn the_longest_waiting_stranger_is_met_in_a_channel_of_its_own() {
    check(
        r#"show events
         a: match chat {"name":"Ann"} #1
         b: match chat {"name":"Ben"} #1"#,
        expect![[r#"
            a <- waiting in chat, 1 #1
            event: a joined ~2
            a <- matched in chat: ~2
            a <- joined ~2, 1 peer
            a <- addPeer b in ~2, answer, {"name":"Ben"}
            event: b joined ~2
            b <- matched in chat: ~2 #1
            b <- joined ~2, 1 peer
            b <- addPeer a in ~2, offer, {"name":"Ann"}
        "#]],
    );
}

#[test]
fn the_one_who_has_waited_can_be_the_one_who_offers() {
    check(
        "policy for chat: resident
         a: match chat
         b: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            a <- matched in chat: ~2
            a <- joined ~2, 1 peer
            a <- addPeer b in ~2, offer
            b <- matched in chat: ~2
            b <- joined ~2, 1 peer
            b <- addPeer a in ~2, answer
        "#]],
    );
}

#[test]
fn in_a_star_of_strangers_the_longest_waiting_one_is_the_host_and_the_first_resident() {
    check(
        "policy for chat: star, capacity 3
         show ids
         a b c: match chat
         ---
         a: join ~3
         b: join ~3
         a: part ~3",
        expect![[r#"
            a <- joined ~3, 2 peers
            a <- addPeer b in ~3 @7.3, answer
            a <- addPeer c in ~3 @7.3, answer
            b <- joined ~3, 1 peer
            b <- addPeer a in ~3 @7.3, offer, host
            b c <- removePeer a from ~3, parted
            c <- addPeer b in ~3 @7.4, answer, host
            b <- addPeer c in ~3 @7.4, offer
            a <- parted ~3
            a <- removePeer b from ~3, parted
            a <- removePeer c from ~3, parted
        "#]],
    );
}

#[test]
fn those_who_have_met_speak_to_each_other_like_members_of_any_channel() {
    check(
        "a b: match chat
         ---
         show ids
         a: relay offer b @~2
         b: say ~2 1 #1
         a: set ~2 2
         a: join ~2 #2
         b: part ~2 #3",
        expect![[r#"
            b <- offer from a @7.2
            a <- message from b in ~2: 1
            b <- ok #1
            b <- userdata of a in ~2: 2
            a <- joined ~2, 1 peer #2
            a <- addPeer b in ~2 @7.2, answer
            a <- removePeer b from ~2, parted
            b <- parted ~2 #3
            b <- removePeer a from ~2, parted
        "#]],
    );
}

#[test]
fn nobody_else_joins_a_channel_of_a_match() {
    check(
        "a b: match chat
         ---
         c: join ~2 #1
         b: part ~2
         b: join ~2 #2
         c: join ~never #3",
        expect![[r#"
            c <- error unauthorized in ~2 #1
            a <- removePeer b from ~2, parted
            b <- parted ~2
            b <- removePeer a from ~2, parted
            b <- error unauthorized in ~2 #2
            c <- error unauthorized in ~never #3
        "#]],
    );
}

#[test]
fn whoever_is_left_over_waits() {
    check(
        "a b c d e: match chat #1",
        expect![[r#"
        a <- waiting in chat, 1 #1
        a <- matched in chat: ~2
        a <- joined ~2, 1 peer
        a <- addPeer b in ~2, answer
        b <- matched in chat: ~2 #1
        b <- joined ~2, 1 peer
        b <- addPeer a in ~2, offer
        c <- waiting in chat, 1 #1
        c <- matched in chat: ~4
        c <- joined ~4, 1 peer
        c <- addPeer d in ~4, answer
        d <- matched in chat: ~4 #1
        d <- joined ~4, 1 peer
        d <- addPeer c in ~4, offer
        e <- waiting in chat, 1 #1
    "#]],
    );
}

#[test]
fn pools_do_not_mix() {
    check(
        "a: match chat / b: match music
         c: match music / d: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            b <- waiting in music, 1
            b <- matched in music: ~3
            b <- joined ~3, 1 peer
            b <- addPeer c in ~3, answer
            c <- matched in music: ~3
            c <- joined ~3, 1 peer
            c <- addPeer b in ~3, offer
            a <- matched in chat: ~4
            a <- joined ~4, 1 peer
            a <- addPeer d in ~4, answer
            d <- matched in chat: ~4
            d <- joined ~4, 1 peer
            d <- addPeer a in ~4, offer
        "#]],
    );
}

#[test]
fn several_meet_at_a_time_and_see_how_many_wait() {
    check(
        "policy for trio: capacity 3
         a b: match trio #1
         c: match trio #1
         d: match trio
         b: part ~3",
        expect![[r#"
            a <- waiting in trio, 1 #1
            b <- waiting in trio, 2 #1
            a <- waiting in trio, 2
            a <- matched in trio: ~3
            a <- joined ~3, 2 peers
            a <- addPeer b in ~3, answer
            a <- addPeer c in ~3, answer
            b <- matched in trio: ~3
            b <- joined ~3, 2 peers
            b <- addPeer a in ~3, offer
            b <- addPeer c in ~3, answer
            c <- matched in trio: ~3 #1
            c <- joined ~3, 2 peers
            c <- addPeer a in ~3, offer
            c <- addPeer b in ~3, offer
            d <- waiting in trio, 1
            a c <- removePeer b from ~3, parted
            b <- parted ~3
            b <- removePeer a from ~3, parted
            b <- removePeer c from ~3, parted
        "#]],
    );
}

#[test]
fn asking_again_keeps_the_place_and_replaces_the_userdata() {
    check(
        "policy for trio: capacity 3
         a: match trio 1 #1
         b: match trio
         a: match trio #2
         a: match trio 2 #3
         c: match trio",
        expect![[r#"
            a <- waiting in trio, 1 #1
            b <- waiting in trio, 2
            a <- waiting in trio, 2
            a <- waiting in trio, 2 #2
            a <- waiting in trio, 2 #3
            a <- matched in trio: ~3
            a <- joined ~3, 2 peers
            a <- addPeer b in ~3, answer
            a <- addPeer c in ~3, answer
            b <- matched in trio: ~3
            b <- joined ~3, 2 peers
            b <- addPeer a in ~3, offer, 2
            b <- addPeer c in ~3, answer
            c <- matched in trio: ~3
            c <- joined ~3, 2 peers
            c <- addPeer a in ~3, offer, 2
            c <- addPeer b in ~3, offer
        "#]],
    );
}

#[test]
fn next_leaves_and_searches_by_one_message() {
    check(
        "a b: match chat
         c: match chat
         ---
         a: match chat leaving ~2 #5",
        expect![[r#"
            b <- removePeer a from ~2, parted
            a <- parted ~2
            a <- removePeer b from ~2, parted
            c <- matched in chat: ~4
            c <- joined ~4, 1 peer
            c <- addPeer a in ~4, answer
            a <- matched in chat: ~4 #5
            a <- joined ~4, 1 peer
            a <- addPeer c in ~4, offer
        "#]],
    );
}

#[test]
fn leaving_a_channel_that_one_is_not_in_is_answered_parted() {
    check(
        "a: match chat leaving lobby #1",
        expect![[r#"
        a <- parted lobby
        a <- waiting in chat, 1 #1
    "#]],
    );
}

#[test]
fn last_partners_meet_again_only_when_nobody_else_has_come_for_three_seconds() {
    check(
        "a b: match chat
         a: match chat leaving ~2
         wait 2s
         b: match chat leaving ~2
         ---
         wait 1s
         wait 1999ms
         wait 1ms",
        expect![[r#"
            a <- matched in chat: ~4
            a <- joined ~4, 1 peer
            a <- addPeer b in ~4, answer
            b <- matched in chat: ~4
            b <- joined ~4, 1 peer
            b <- addPeer a in ~4, offer
        "#]],
    );
}

#[test]
fn somebody_else_is_met_at_once() {
    check(
        "a b: match chat
         a: match chat leaving ~2
         b: match chat leaving ~2
         ---
         c: match chat
         d: match chat
         wait 3s",
        expect![[r#"
            a <- matched in chat: ~5
            a <- joined ~5, 1 peer
            a <- addPeer c in ~5, answer
            c <- matched in chat: ~5
            c <- joined ~5, 1 peer
            c <- addPeer a in ~5, offer
            b <- waiting in chat, 1
            b <- matched in chat: ~6
            b <- joined ~6, 1 peer
            b <- addPeer d in ~6, answer
            d <- matched in chat: ~6
            d <- joined ~6, 1 peer
            d <- addPeer b in ~6, offer
        "#]],
    );
}

#[test]
fn without_a_time_to_avoid_them_last_partners_meet_at_once() {
    let limits = Limits { rematch: Duration::ZERO, ..Limits::default() };
    check_with(
        limits,
        "a b: match chat
         a: match chat leaving ~2
         ---
         b: match chat leaving ~2",
        expect![[r#"
            b <- parted ~2
            a <- matched in chat: ~4
            a <- joined ~4, 1 peer
            a <- addPeer b in ~4, answer
            b <- matched in chat: ~4
            b <- joined ~4, 1 peer
            b <- addPeer a in ~4, offer
        "#]],
    );
}

#[test]
fn frames_of_matchmaking() {
    check(
        "show frames
         a: match chat {\"name\":\"Ann\"} #1
         a: match chat #x
         b: match chat #2
         c: match chat
         c detaches
         policy for chat: refuses \"no\"
         c: match chat #3",
        expect![[r#"
            a <- {"type":"waiting","id":1,"pool":"chat","waiting":1}
            a <- {"type":"waiting","id":"x","pool":"chat","waiting":1}
            a <- {"type":"matched","pool":"chat","channel":"~2"}
            a <- {"type":"joined","channel":"~2","peers":1}
            a <- {"type":"addPeer","channel":"~2","peer_id":"b","should_create_offer":false,"connection_id":"7.2","userdata":null}
            b <- {"type":"matched","id":2,"pool":"chat","channel":"~2"}
            b <- {"type":"joined","channel":"~2","peers":1}
            b <- {"type":"addPeer","channel":"~2","peer_id":"a","should_create_offer":true,"connection_id":"7.2","userdata":{"name":"Ann"}}
            c <- {"type":"waiting","pool":"chat","waiting":1}
            c <- {"type":"matchEnded","pool":"chat","reason":"detached"}
            c <- {"type":"error","code":"unauthorized","message":"no","id":3,"pool":"chat"}
        "#]],
    );
}

#[test]
fn strangers_do_not_meet_in_a_channel_in_which_they_could_not_speak() {
    check(
        "policy for chat: unlisted
         a b: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            a <- matched in chat: ~2
            a <- joined ~2, 1 peer
            a <- addPeer b in ~2, answer
            b <- matched in chat: ~2
            b <- joined ~2, 1 peer
            b <- addPeer a in ~2, offer
        "#]],
    );
}
