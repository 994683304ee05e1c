//! Joining and parting, and what the others hear of it.

use expect_test::expect;
use tokio_tungstenite::tungstenite::{
    Message, Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{Adapter, conversation::check};

rules! { ($) channels:
    the_newcomer_offers_to_all_who_are_there,
    a_request_and_its_answer_share_an_id,
    a_part_ends_the_introductions_on_both_sides,
    a_part_of_a_channel_one_is_not_in_is_answered,
    bye_ends_the_session_for_all,
    a_browser_that_drops_the_page_is_gone_at_once,
    a_join_of_a_channel_one_is_in_is_answered_with_all_members,
    a_join_with_new_userdata_replaces_it,
    new_userdata_is_told_to_the_others_and_to_newcomers,
    userdata_of_a_channel_one_is_not_in_is_an_error,
    names_differ_when_their_bytes_do,
    several_channels_are_several_introductions,
    the_third_in_a_channel_of_two_is_refused,
    those_who_are_there_offer_when_the_policy_wants_it,
    nobody_is_introduced_in_an_unlisted_channel,
    the_identity_is_told_beside_the_userdata,
}

async fn the_newcomer_offers_to_all_who_are_there(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room","userdata":{"name":"Ann"}}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room","userdata":{"name":"Bob"}}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"name":"Ann"}}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":{"name":"Bob"}}
            cid> {"type":"join","channel":"room"}
            cid< {"type":"joined","channel":"room","peers":2}
            cid< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":{"name":"Ann"}}
            cid< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.3","userdata":{"name":"Bob"}}
            ann< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
        "#]],
    )
    .await;
}

async fn a_request_and_its_answer_share_an_id(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","id":0,"channel":"room"}
            ann< {"type":"joined","id":0,"channel":"room","peers":0}
            bob> {"type":"join","id":"b","channel":"room"}
            bob< {"type":"joined","id":"b","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"type":"setUserdata","id":9007199254740991,"channel":"room","userdata":null}
            ann< {"type":"ok","id":9007199254740991}
            bob< {"type":"userdata","channel":"room","peer_id":"ann","userdata":null}
            ann> {"type":"send","id":2,"channel":"room","data":1}
            ann< {"type":"ok","id":2}
            bob< {"type":"message","peer_id":"ann","channel":"room","data":1}
            ann> {"type":"send","id":3,"peer_id":"$bob","data":2}
            ann< {"type":"ok","id":3}
            bob< {"type":"message","peer_id":"ann","data":2}
            ann> {"type":"part","id":"","channel":"room"}
            ann< {"type":"parted","id":"","channel":"room"}
            ann< {"type":"removePeer","channel":"room","peer_id":"bob","reason":"parted"}
            bob< {"type":"removePeer","channel":"room","peer_id":"ann","reason":"parted"}
            ann> {"type":"setUserdata","id":5,"channel":"room","userdata":null}
            ann< {"type":"error","code":"not_joined","id":5,"channel":"room"}
            ann> {"type":"send","id":6,"channel":"room","data":3}
            ann< {"type":"error","code":"not_joined","id":6,"channel":"room"}
            ann> {"type":"send","id":7,"peer_id":"$bob","data":4}
            ann< {"type":"error","code":"unknown_peer","id":7,"peer_id":"bob"}
            ann> {"type":"greet","id":8}
            ann< {"type":"error","code":"unknown_type","id":8}
        "#]],
    )
    .await;
}

async fn a_part_ends_the_introductions_on_both_sides(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","channel":"room"}
            cid< {"type":"joined","channel":"room","peers":2}
            cid< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            cid< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob> {"type":"part","channel":"room"}
            bob< {"type":"parted","channel":"room"}
            bob< {"type":"removePeer","channel":"room","peer_id":"ann","reason":"parted"}
            bob< {"type":"removePeer","channel":"room","peer_id":"cid","reason":"parted"}
            ann< {"type":"removePeer","channel":"room","peer_id":"bob","reason":"parted"}
            cid< {"type":"removePeer","channel":"room","peer_id":"bob","reason":"parted"}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":2}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.5","userdata":null}
            bob< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":true,"connection_id":"epoch.5","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.5","userdata":null}
            cid< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.5","userdata":null}
        "#]],
    )
    .await;
}

async fn a_part_of_a_channel_one_is_not_in_is_answered(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"part","id":1,"channel":"room"}
            bob< {"type":"parted","id":1,"channel":"room"}
            bob> {"type":"part","channel":"elsewhere"}
            bob< {"type":"parted","channel":"elsewhere"}
            bob> {"type":"part"}
            bob< {"type":"error","code":"bad_message"}
        "#]],
    )
    .await;
}

async fn bye_ends_the_session_for_all(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            bob> {"type":"bye"}
            bob< closed 1000 bye
            ann< {"type":"removePeer","channel":"room","peer_id":"bob","reason":"bye"}
            ann> {"type":"send","id":1,"peer_id":"$bob","data":0}
            ann< {"type":"error","code":"unknown_peer","id":1,"peer_id":"bob"}
        "#]],
    )
    .await;
}

async fn a_browser_that_drops_the_page_is_gone_at_once(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    for client in [&mut ann, &mut bob] {
        client.join("room").await;
    }
    ann.expect("addPeer").await;
    let going_away = CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::default() };
    bob.say_frame(Message::Close(Some(going_away))).await;
    assert_eq!(ann.expect("removePeer").await["reason"], "bye");
}

async fn a_join_of_a_channel_one_is_in_is_answered_with_all_members(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room","userdata":"a"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room","userdata":"b"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":"a"}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":"b"}
            cid> {"type":"join","channel":"room","userdata":"c"}
            cid< {"type":"joined","channel":"room","peers":2}
            cid< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":"a"}
            cid< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.3","userdata":"b"}
            ann< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"c"}
            bob< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"c"}
            bob> {"type":"join","id":1,"channel":"room"}
            bob< {"type":"joined","id":1,"channel":"room","peers":2}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":"a"}
            bob< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"c"}
        "#]],
    )
    .await;
}

async fn a_join_with_new_userdata_replaces_it(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room","userdata":"a"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room","userdata":"b"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":"a"}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":"b"}
            ann> {"type":"join","channel":"room","userdata":"A"}
            ann< {"type":"joined","channel":"room","peers":1}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":"b"}
            bob< {"type":"userdata","channel":"room","peer_id":"ann","userdata":"A"}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":"A"}
        "#]],
    )
    .await;
}

async fn new_userdata_is_told_to_the_others_and_to_newcomers(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room","userdata":{"muted":false}}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"muted":false}}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"type":"setUserdata","channel":"room","userdata": { "muted" : tru\u0065 } }
            ann< {"type":"error","code":"bad_message"}
            ann> {"type":"setUserdata","channel":"room","userdata": { "muted" : [1e999, "\u0041"] } }
            bob< {"type":"userdata","channel":"room","peer_id":"ann","userdata":{ "muted" : [1e999, "\u0041"] }}
            cid> {"type":"join","channel":"room"}
            cid< {"type":"joined","channel":"room","peers":2}
            cid< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":{ "muted" : [1e999, "\u0041"] }}
            cid< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            bob< {"type":"addPeer","channel":"room","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            ann> {"type":"setUserdata","channel":"room","userdata":null}
            bob< {"type":"userdata","channel":"room","peer_id":"ann","userdata":null}
            cid< {"type":"userdata","channel":"room","peer_id":"ann","userdata":null}
        "#]],
    )
    .await;
}

async fn userdata_of_a_channel_one_is_not_in_is_an_error(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"setUserdata","channel":"room","userdata":1}
            bob< {"type":"error","code":"not_joined","channel":"room"}
            bob> {"type":"setUserdata","id":2,"channel":"elsewhere","userdata":1}
            bob< {"type":"error","code":"not_joined","id":2,"channel":"elsewhere"}
        "#]],
    )
    .await;
}

async fn names_differ_when_their_bytes_do(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"caf\u00e9"}
            ann< {"type":"joined","channel":"café","peers":0}
            bob> {"type":"join","channel":"cafe\u0301"}
            bob< {"type":"joined","channel":"café","peers":0}
            cid> {"type":"join","channel":"Café"}
            cid< {"type":"joined","channel":"Café","peers":0}
            dee> {"type":"join","channel":"café"}
            dee< {"type":"joined","channel":"café","peers":1}
            dee< {"type":"addPeer","channel":"café","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"addPeer","channel":"café","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            ann> {"type":"join","channel":"__proto__"}
            ann< {"type":"joined","channel":"__proto__","peers":0}
            bob> {"type":"join","channel":"constructor"}
            bob< {"type":"joined","channel":"constructor","peers":0}
        "#]],
    )
    .await;
}

async fn several_channels_are_several_introductions(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"one"}
            ann< {"type":"joined","channel":"one","peers":0}
            bob> {"type":"join","channel":"two"}
            bob< {"type":"joined","channel":"two","peers":0}
            bob> {"type":"join","channel":"one"}
            bob< {"type":"joined","channel":"one","peers":1}
            bob< {"type":"addPeer","channel":"one","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            ann< {"type":"addPeer","channel":"one","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            ann> {"type":"join","channel":"two"}
            ann< {"type":"joined","channel":"two","peers":1}
            ann< {"type":"addPeer","channel":"two","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            bob< {"type":"addPeer","channel":"two","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            bob> {"type":"part","channel":"one"}
            bob< {"type":"parted","channel":"one"}
            bob< {"type":"removePeer","channel":"one","peer_id":"ann","reason":"parted"}
            ann< {"type":"removePeer","channel":"one","peer_id":"bob","reason":"parted"}
            ann> {"type":"send","id":1,"peer_id":"$bob","data":"still there"}
            ann< {"type":"ok","id":1}
            bob< {"type":"message","peer_id":"ann","data":"still there"}
            bob> {"type":"bye"}
            bob< closed 1000 bye
            ann< {"type":"removePeer","channel":"two","peer_id":"bob","reason":"bye"}
        "#]],
    )
    .await;
}

async fn the_third_in_a_channel_of_two_is_refused(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"pair"}
            ann< {"type":"joined","channel":"pair","peers":0}
            bob> {"type":"join","channel":"pair"}
            bob< {"type":"joined","channel":"pair","peers":1}
            bob< {"type":"addPeer","channel":"pair","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"pair","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","id":1,"channel":"pair"}
            cid< {"type":"error","code":"channel_full","id":1,"channel":"pair"}
            cid> {"type":"send","channel":"pair","data":1}
            cid< {"type":"error","code":"not_joined","channel":"pair"}
            ann> {"type":"part","channel":"pair"}
            ann< {"type":"parted","channel":"pair"}
            ann< {"type":"removePeer","channel":"pair","peer_id":"bob","reason":"parted"}
            bob< {"type":"removePeer","channel":"pair","peer_id":"ann","reason":"parted"}
            cid> {"type":"join","id":2,"channel":"pair"}
            cid< {"type":"joined","id":2,"channel":"pair","peers":1}
            cid< {"type":"addPeer","channel":"pair","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.5","userdata":null}
            bob< {"type":"addPeer","channel":"pair","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.5","userdata":null}
        "#]],
    )
    .await;
}

async fn those_who_are_there_offer_when_the_policy_wants_it(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"resident"}
            ann< {"type":"joined","channel":"resident","peers":0}
            bob> {"type":"join","channel":"resident"}
            bob< {"type":"joined","channel":"resident","peers":1}
            bob< {"type":"addPeer","channel":"resident","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"resident","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
        "#]],
    )
    .await;
}

async fn nobody_is_introduced_in_an_unlisted_channel(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"unlisted"}
            ann< {"type":"joined","channel":"unlisted","peers":0}
            bob> {"type":"join","channel":"unlisted","userdata":1}
            bob< {"type":"joined","channel":"unlisted","peers":0}
            bob> {"type":"setUserdata","channel":"unlisted","userdata":2}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null}
            ann< {"type":"iceCandidate","peer_id":"bob","ice_candidate":null}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null,"connection_id":"e.2"}
            bob< {"type":"error","code":"stale_connection","peer_id":"ann","connection_id":"e.2"}
            bob> {"type":"send","channel":"unlisted","data":3}
            ann< {"type":"message","peer_id":"bob","channel":"unlisted","data":3}
            bob> {"type":"part","channel":"unlisted"}
            bob< {"type":"parted","channel":"unlisted"}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null}
            bob< {"type":"error","code":"unknown_peer","peer_id":"ann"}
        "#]],
    )
    .await;
}

async fn the_identity_is_told_beside_the_userdata(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            id-ann> {"type":"join","channel":"room","userdata":{"identity":"claimed"}}
            id-ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room","identity":"claimed"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"id-ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"identity":"claimed"},"identity":"id ann"}
            id-ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            id-bob> {"type":"join","channel":"room"}
            id-bob< {"type":"joined","channel":"room","peers":2}
            id-bob< {"type":"addPeer","channel":"room","peer_id":"id-ann","should_create_offer":true,"connection_id":"epoch.3","userdata":{"identity":"claimed"},"identity":"id ann"}
            id-bob< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            id-ann< {"type":"addPeer","channel":"room","peer_id":"id-bob","should_create_offer":false,"connection_id":"epoch.3","userdata":null,"identity":"id bob"}
            bob< {"type":"addPeer","channel":"room","peer_id":"id-bob","should_create_offer":false,"connection_id":"epoch.3","userdata":null,"identity":"id bob"}
        "#]],
    )
    .await;
}
