//! From one peer to another.

use expect_test::expect;

use crate::{Adapter, conversation::check};

rules! { ($) relays:
    a_call_of_two_is_set_up,
    descriptions_and_candidates_arrive_as_they_were_sent,
    who_is_not_introduced_cannot_be_reached,
    a_peer_of_another_channel_cannot_be_reached,
    a_sender_is_told_by_the_server_and_cannot_be_forged,
    a_connection_id_must_be_that_of_a_live_introduction,
    any_live_introduction_of_the_two_will_do,
    an_app_message_goes_to_one_or_to_all_others,
    an_app_message_to_a_channel_needs_a_seat_there,
}

async fn a_call_of_two_is_set_up(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","id":1,"channel":"room","userdata":{"name":"Ann"}}
            ann< {"type":"joined","id":1,"channel":"room","peers":0}
            bob> {"type":"join","id":1,"channel":"room","userdata":{"name":"Bob"}}
            bob< {"type":"joined","id":1,"channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"name":"Ann"}}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":{"name":"Bob"}}
            bob> {"type":"relaySessionDescription","peer_id":"$ann","session_description":{"type":"offer","sdp":"v=0\r\n"},"connection_id":"$epoch.2"}
            ann< {"type":"sessionDescription","peer_id":"bob","session_description":{"type":"offer","sdp":"v=0\r\n"},"connection_id":"epoch.2"}
            ann> {"type":"relaySessionDescription","peer_id":"$bob","session_description":{"type":"answer","sdp":"v=0\r\n"},"connection_id":"$epoch.2"}
            bob< {"type":"sessionDescription","peer_id":"ann","session_description":{"type":"answer","sdp":"v=0\r\n"},"connection_id":"epoch.2"}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":{"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"9Tx1"},"connection_id":"$epoch.2"}
            ann< {"type":"iceCandidate","peer_id":"bob","ice_candidate":{"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"9Tx1"},"connection_id":"epoch.2"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0},"connection_id":"$epoch.2"}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0},"connection_id":"epoch.2"}
            ann> {"type":"relayICECandidate","id":2,"peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.2","attempt":0}
            ann< {"type":"ok","id":2}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null,"connection_id":"epoch.2","attempt":0}
            bob> {"type":"part","id":2,"channel":"room"}
            bob< {"type":"parted","id":2,"channel":"room"}
            bob< {"type":"removePeer","channel":"room","peer_id":"ann","reason":"parted"}
            ann< {"type":"removePeer","channel":"room","peer_id":"bob","reason":"parted"}
            bob> {"type":"bye"}
            bob< closed 1000 bye
        "#]],
    )
    .await;
}

async fn descriptions_and_candidates_arrive_as_they_were_sent(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"session_description" : { "type" : "offer" , "sdp" : "\u0061\/b", "x" : [ 1e999, -0 ] }, "attempt":4294967295, "peer_id":"$bob", "type":"relaySessionDescription"}
            bob< {"type":"sessionDescription","peer_id":"ann","session_description":{ "type" : "offer" , "sdp" : "\u0061\/b", "x" : [ 1e999, -0 ] },"attempt":4294967295}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":{ "candidate":"\ud83d\ude00", "sdpMid":null, "y":{"y":1,"y":2} }}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":{ "candidate":"\ud83d\ude00", "sdpMid":null, "y":{"y":1,"y":2} }}
        "#]],
    )
    .await;
}

async fn who_is_not_introduced_cannot_be_reached(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"part","channel":"room"}
            bob< {"type":"parted","channel":"room"}
            ann> {"type":"relayICECandidate","id":1,"peer_id":"$bob","ice_candidate":null}
            ann< {"type":"error","code":"unknown_peer","id":1,"peer_id":"bob"}
            ann> {"type":"relayICECandidate","id":2,"peer_id":"nobody","ice_candidate":null,"connection_id":"x.1"}
            ann< {"type":"error","code":"unknown_peer","id":2,"peer_id":"nobody","connection_id":"x.1"}
            ann> {"type":"relaySessionDescription","peer_id":"$ann","session_description":{"type":"rollback"}}
            ann< {"type":"error","code":"unknown_peer","peer_id":"ann"}
            ann> {"type":"send","peer_id":"$bob","data":1}
            ann< {"type":"error","code":"unknown_peer","peer_id":"bob"}
        "#]],
    )
    .await;
}

async fn a_peer_of_another_channel_cannot_be_reached(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"one"}
            ann< {"type":"joined","channel":"one","peers":0}
            bob> {"type":"join","channel":"two"}
            bob< {"type":"joined","channel":"two","peers":0}
            ann> {"type":"relaySessionDescription","peer_id":"$bob","session_description":{"type":"offer","sdp":""}}
            ann< {"type":"error","code":"unknown_peer","peer_id":"bob"}
            bob> {"type":"join","channel":"one"}
            bob< {"type":"joined","channel":"one","peers":1}
            bob< {"type":"addPeer","channel":"one","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            ann< {"type":"addPeer","channel":"one","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob> {"type":"part","channel":"one"}
            bob< {"type":"parted","channel":"one"}
            bob< {"type":"removePeer","channel":"one","peer_id":"ann","reason":"parted"}
            ann< {"type":"removePeer","channel":"one","peer_id":"bob","reason":"parted"}
            ann> {"type":"relaySessionDescription","peer_id":"$bob","session_description":{"type":"offer","sdp":""}}
            ann< {"type":"error","code":"unknown_peer","peer_id":"bob"}
        "#]],
    )
    .await;
}

async fn a_sender_is_told_by_the_server_and_cannot_be_forged(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"type":"send","peer_id":"$bob","from":"$bob","sender":"bob","data":1}
            bob< {"type":"message","peer_id":"ann","data":1}
            ann> {"type":"send","channel":"room","from":"$bob","data":2}
            bob< {"type":"message","peer_id":"ann","channel":"room","data":2}
        "#]],
    )
    .await;
}

async fn a_connection_id_must_be_that_of_a_live_introduction(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.1"}
            ann< {"type":"error","code":"stale_connection","peer_id":"bob","connection_id":"epoch.1"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.02"}
            ann< {"type":"error","code":"stale_connection","peer_id":"bob","connection_id":"epoch.02"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"x.2"}
            ann< {"type":"error","code":"stale_connection","peer_id":"bob","connection_id":"x.2"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":""}
            ann< {"type":"error","code":"stale_connection","peer_id":"bob","connection_id":""}
            bob> {"type":"part","channel":"room"}
            bob< {"type":"parted","channel":"room"}
            bob< {"type":"removePeer","channel":"room","peer_id":"ann","reason":"parted"}
            ann< {"type":"removePeer","channel":"room","peer_id":"bob","reason":"parted"}
            bob> {"type":"join","channel":"room"}
            bob< {"type":"joined","channel":"room","peers":1}
            bob< {"type":"addPeer","channel":"room","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"addPeer","channel":"room","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            ann> {"type":"relayICECandidate","id":1,"peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.2"}
            ann< {"type":"error","code":"stale_connection","id":1,"peer_id":"bob","connection_id":"epoch.2"}
            ann> {"type":"relayICECandidate","id":2,"peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.4"}
            ann< {"type":"ok","id":2}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null,"connection_id":"epoch.4"}
        "#]],
    )
    .await;
}

async fn any_live_introduction_of_the_two_will_do(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"one"}
            ann< {"type":"joined","channel":"one","peers":0}
            ann> {"type":"join","channel":"two"}
            ann< {"type":"joined","channel":"two","peers":0}
            bob> {"type":"join","channel":"one"}
            bob< {"type":"joined","channel":"one","peers":1}
            bob< {"type":"addPeer","channel":"one","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            ann< {"type":"addPeer","channel":"one","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob> {"type":"join","channel":"two"}
            bob< {"type":"joined","channel":"two","peers":1}
            bob< {"type":"addPeer","channel":"two","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"addPeer","channel":"two","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.3"}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null,"connection_id":"epoch.3"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.4"}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null,"connection_id":"epoch.4"}
            ann> {"type":"part","channel":"one"}
            ann< {"type":"parted","channel":"one"}
            ann< {"type":"removePeer","channel":"one","peer_id":"bob","reason":"parted"}
            bob< {"type":"removePeer","channel":"one","peer_id":"ann","reason":"parted"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.3"}
            ann< {"type":"error","code":"stale_connection","peer_id":"bob","connection_id":"epoch.3"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.4"}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null,"connection_id":"epoch.4"}
            ann> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null}
            bob< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null}
        "#]],
    )
    .await;
}

async fn an_app_message_goes_to_one_or_to_all_others(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            ann> {"type":"send","channel":"room","data":"nobody is there"}
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
            ann> {"type":"send","channel":"room","data":{"to":"all"}}
            bob< {"type":"message","peer_id":"ann","channel":"room","data":{"to":"all"}}
            cid< {"type":"message","peer_id":"ann","channel":"room","data":{"to":"all"}}
            ann> {"type":"send","peer_id":"$cid","data":{"to":"one"}}
            cid< {"type":"message","peer_id":"ann","data":{"to":"one"}}
            ann> {"type":"send","id":1,"peer_id":"$cid","channel":"room","data":0}
            ann< {"type":"error","code":"bad_message","id":1}
            ann> {"type":"send","id":2,"data":0}
            ann< {"type":"error","code":"bad_message","id":2}
        "#]],
    )
    .await;
}

async fn an_app_message_to_a_channel_needs_a_seat_there(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"room"}
            ann< {"type":"joined","channel":"room","peers":0}
            bob> {"type":"send","id":1,"channel":"room","data":0}
            bob< {"type":"error","code":"not_joined","id":1,"channel":"room"}
            bob> {"type":"send","channel":"elsewhere","data":0}
            bob< {"type":"error","code":"not_joined","channel":"elsewhere"}
        "#]],
    )
    .await;
}
