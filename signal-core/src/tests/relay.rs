use expect_test::expect;

use super::transcript::check;

#[test]
fn descriptions_and_candidates_go_to_one_peer() {
    check(
        "a b c: join lobby
         ---
         b: relay offer a @lobby
         b: relay candidate a @lobby
         a: relay answer b @lobby #1
         a: relay candidate b @lobby #x",
        expect![[r#"
            a <- offer from b @lobby
            a <- candidate from b @lobby
            b <- answer from a @lobby
            a <- ok #1
            b <- candidate from a @lobby
            a <- ok #x
        "#]],
    );
}

#[test]
fn what_is_relayed_arrives_as_it_was_sent() {
    check(
        "a b: join lobby
         ---
         show frames
         b: relay offer a @lobby attempt 0
         b: relay candidate a
         b: tell a {\"b\" : [1e999, \"\\u0041\"]}
         b: say lobby  \"x\"",
        expect![[r#"
            a <- {"type":"sessionDescription","peer_id":"b","session_description":{"type":"offer","sdp":""},"connection_id":"7.2","attempt":0}
            a <- {"type":"iceCandidate","peer_id":"b","ice_candidate":{"candidate":"x"}}
            a <- {"type":"message","peer_id":"b","data":{"b" : [1e999, "\u0041"]}}
            a <- {"type":"message","peer_id":"b","channel":"lobby","data":"x"}
        "#]],
    );
}

#[test]
fn attempt_is_passed_on_untouched() {
    check(
        "a b: join lobby
         ---
         a: relay offer b attempt 0
         a: relay offer b attempt 4294967295
         a: relay candidate b @lobby attempt 1
         a: relay candidate b attempt 0",
        expect![[r#"
            b <- offer from a attempt 0
            b <- offer from a attempt 4294967295
            b <- candidate from a @lobby attempt 1
            b <- candidate from a attempt 0
        "#]],
    );
}

#[test]
fn unknown_not_introduced_and_own_peer_id_get_the_same_error() {
    check(
        "a b: join lobby
         c: join other
         ---
         a: relay offer nobody #1
         a: relay offer c #2
         a: relay offer a #3
         a: relay candidate c
         a: tell c 1 #4
         d: relay offer a #5",
        expect![[r#"
            a <- error unknown_peer for nobody #1
            a <- error unknown_peer for c #2
            a <- error unknown_peer for a #3
            a <- error unknown_peer for c
            a <- error unknown_peer for c #4
            d <- error unknown_peer for a #5
        "#]],
    );
}

#[test]
fn a_connection_id_may_be_that_of_any_live_introduction_of_the_pair() {
    check(
        "a b: join lobby
         a b: join other
         ---
         a: relay offer b @lobby
         a: relay offer b @other
         b: relay candidate a @lobby
         a: part other
         a: relay offer b @lobby",
        expect![[r#"
            b <- offer from a @lobby
            b <- offer from a @other
            a <- candidate from b @lobby
            b <- removePeer a from other, parted
            a <- parted other
            a <- removePeer b from other, parted
            b <- offer from a @lobby
        "#]],
    );
}

#[test]
fn a_connection_id_of_no_live_introduction_of_the_pair_is_stale() {
    check(
        "a b c: join lobby
         a b: join other
         a: part other
         ---
         a: relay offer b @other #1
         a: relay candidate b @other
         a: relay offer b @7.3 #3
         c: relay offer b @7.2 #4
         a: relay offer b @8.2 #5
         a: relay offer b @7.02 #6
         a: relay offer b @07.2 #7
         a: relay offer b @7.2.2 #8
         a: relay offer b @7. #9",
        expect![[r#"
            a <- error stale_connection for b @other #1
            a <- error stale_connection for b @other
            a <- error stale_connection for b @7.3 #3
            c <- error stale_connection for b @7.2 #4
            a <- error stale_connection for b @8.2 #5
            a <- error stale_connection for b @7.02 #6
            a <- error stale_connection for b @07.2 #7
            a <- error stale_connection for b @7.2.2 #8
            a <- error stale_connection for b @7. #9
        "#]],
    );
}

#[test]
fn the_connection_id_of_before_a_rejoin_is_stale() {
    check(
        "a b: join lobby
         ---
         show frames
         a: part lobby
         a: join lobby
         b: relay offer a @7.2 #1
         b: relay offer a @7.4 #2",
        expect![[r#"
            b <- {"type":"removePeer","channel":"lobby","peer_id":"a","reason":"parted"}
            a <- {"type":"parted","channel":"lobby"}
            a <- {"type":"removePeer","channel":"lobby","peer_id":"b","reason":"parted"}
            b <- {"type":"addPeer","channel":"lobby","peer_id":"a","should_create_offer":false,"connection_id":"7.4","userdata":null}
            a <- {"type":"joined","channel":"lobby","peers":1}
            a <- {"type":"addPeer","channel":"lobby","peer_id":"b","should_create_offer":true,"connection_id":"7.4","userdata":null}
            b <- {"type":"error","code":"stale_connection","message":"That connection id belongs to no live introduction of the two of you.","id":1,"peer_id":"a","connection_id":"7.2"}
            a <- {"type":"sessionDescription","peer_id":"b","session_description":{"type":"offer","sdp":""},"connection_id":"7.4"}
            b <- {"type":"ok","id":2}
        "#]],
    );
}

#[test]
fn unknown_peer_comes_before_stale_connection() {
    check(
        "a b: join lobby
         a: part lobby
         ---
         b: relay offer a @lobby #1
         b: relay offer nobody @7.9 #2",
        expect![[r#"
            b <- error unknown_peer for a @lobby #1
            b <- error unknown_peer for nobody @7.9 #2
        "#]],
    );
}

#[test]
fn a_detached_peer_is_sent_what_is_for_it() {
    check(
        "a b: join lobby
         b detaches
         ---
         a: relay offer b
         a: tell b 1
         a: say lobby 2
         c: join lobby
         b resumes
         b: relay answer a #1",
        expect![[r#"
            b <- offer from a
            b <- message from a: 1
            b <- message from a in lobby: 2
            a b <- addPeer c in lobby, answer
            c <- joined lobby, 2 peers
            c <- addPeer a in lobby, offer
            c <- addPeer b in lobby, offer
            a <- answer from b
            b <- ok #1
        "#]],
    );
}

#[test]
fn a_peer_that_has_ended_cannot_be_reached() {
    check(
        "a b: join lobby
         b ends bye
         ---
         a: relay offer b @lobby #1
         a: tell b 1 #2",
        expect![[r#"
            a <- error unknown_peer for b @lobby #1
            a <- error unknown_peer for b #2
        "#]],
    );
}

#[test]
fn app_messages_go_to_one_peer_or_to_all_others_of_the_channel() {
    check(
        r#"a b c: join lobby
           d: join other
           ---
           a: tell c "hi" #1
           a: say lobby "hello"
           a: say lobby "hello" #2
           d: say other "alone"
           d: say other "alone" #3"#,
        expect![[r#"
            c <- message from a: "hi"
            a <- ok #1
            b c <- message from a in lobby: "hello" x2
            a <- ok #2
            d <- ok #3
        "#]],
    );
}

#[test]
fn an_app_message_to_a_channel_one_is_not_in_is_not_joined() {
    check(
        "a: join lobby
         b: say lobby 1 #1
         b: say nowhere 1",
        expect![[r#"
            a <- joined lobby, 0 peers
            b <- error not_joined in lobby #1
            b <- error not_joined in nowhere
        "#]],
    );
}

#[test]
fn an_id_is_repeated_as_it_was_given() {
    check(
        "show frames
         a: join lobby #0
         b: join lobby #x
         ---
         a: tell b 1 #9007199254740991
         a: tell b 1 #seven
         a: tell a 1 #007x
         a: part lobby #1
         a: rubbish #2",
        expect![[r#"
            b <- {"type":"message","peer_id":"a","data":1}
            a <- {"type":"ok","id":9007199254740991}
            b <- {"type":"message","peer_id":"a","data":1}
            a <- {"type":"ok","id":"seven"}
            a <- {"type":"error","code":"unknown_peer","message":"There is no peer with that id that you are introduced to.","id":"007x","peer_id":"a"}
            b <- {"type":"removePeer","channel":"lobby","peer_id":"a","reason":"parted"}
            a <- {"type":"parted","id":1,"channel":"lobby"}
            a <- {"type":"removePeer","channel":"lobby","peer_id":"b","reason":"parted"}
            a <- {"type":"error","code":"bad_message","message":"The message is not of the form that the protocol asks for.","id":2}
        "#]],
    );
}
