//! Stars: one host, whom everybody meets, and nobody else does.

use expect_test::expect;
use signal_tokio::Limits;

use super::SHORT;
use crate::{
    Adapter,
    client::Client,
    conversation::{check, check_on},
    server::Server,
};

rules! { ($) stars:
    members_of_a_star_are_introduced_to_the_host_only,
    the_longest_standing_member_that_may_be_host_follows_the_host,
    nobody_else_hears_of_a_member_that_parts,
    viewers_wait_for_somebody_who_may_be_host,
    members_reach_the_host_and_the_host_reaches_all,
    an_introduction_to_a_former_host_is_stale,
    a_star_has_so_many_seats_and_no_more,
    a_host_that_is_lost_stays_the_host_until_its_time_is_up,
    a_host_that_comes_back_in_time_is_still_the_host,
    the_host_may_be_kicked_or_taken_out_and_the_next_follows,
}

async fn members_of_a_star_are_introduced_to_the_host_only(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            id-ann> {"type":"join","id":1,"channel":"stage","userdata":{"name":"Ann"}}
            id-ann< {"type":"joined","id":1,"channel":"stage","peers":0}
            bob> {"type":"join","id":1,"channel":"stage","userdata":{"name":"Bob"}}
            bob< {"type":"joined","id":1,"channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"id-ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"name":"Ann"},"identity":"id ann","host":true}
            id-ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":{"name":"Bob"}}
            cid> {"type":"join","id":1,"channel":"stage","userdata":"viewer"}
            cid< {"type":"joined","id":1,"channel":"stage","peers":1}
            cid< {"type":"addPeer","channel":"stage","peer_id":"id-ann","should_create_offer":true,"connection_id":"epoch.3","userdata":{"name":"Ann"},"identity":"id ann","host":true}
            id-ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"viewer"}
            bob> {"type":"join","channel":"stage"}
            bob< {"type":"joined","channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"id-ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"name":"Ann"},"identity":"id ann","host":true}
            id-ann> {"type":"join","channel":"stage"}
            id-ann< {"type":"joined","channel":"stage","peers":2}
            id-ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":{"name":"Bob"}}
            id-ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"viewer"}
        "#]],
    )
    .await;
}

async fn the_longest_standing_member_that_may_be_host_follows_the_host(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":0}
            bob> {"type":"join","channel":"stage","userdata":"viewer"}
            bob< {"type":"joined","channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":"viewer"}
            cid> {"type":"join","channel":"stage","userdata":"C"}
            cid< {"type":"joined","channel":"stage","peers":1}
            cid< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"C"}
            dee> {"type":"join","channel":"stage"}
            dee< {"type":"joined","channel":"stage","peers":1}
            dee< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            ann> {"type":"part","id":1,"channel":"stage"}
            ann< {"type":"parted","id":1,"channel":"stage"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"bob","reason":"parted"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"parted"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"dee","reason":"parted"}
            bob< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            bob< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.5","userdata":"C","host":true}
            cid< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            cid< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.5","userdata":"viewer"}
            cid< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":true,"connection_id":"epoch.5","userdata":null}
            dee< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            dee< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.5","userdata":"C","host":true}
            cid> {"type":"bye"}
            cid< closed 1000 bye
            bob< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"bye"}
            bob< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.6","userdata":null,"host":true}
            dee< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"bye"}
            dee< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.6","userdata":"viewer"}
            eve> {"type":"join","channel":"stage"}
            eve< {"type":"joined","channel":"stage","peers":1}
            eve< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":true,"connection_id":"epoch.7","userdata":null,"host":true}
            dee< {"type":"addPeer","channel":"stage","peer_id":"eve","should_create_offer":false,"connection_id":"epoch.7","userdata":null}
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":1}
            ann< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":true,"connection_id":"epoch.8","userdata":null,"host":true}
            dee< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.8","userdata":null}
        "#]],
    )
    .await;
}

async fn nobody_else_hears_of_a_member_that_parts(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":0}
            bob> {"type":"join","channel":"stage"}
            bob< {"type":"joined","channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","channel":"stage"}
            cid< {"type":"joined","channel":"stage","peers":1}
            cid< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob> {"type":"part","channel":"stage"}
            bob< {"type":"parted","channel":"stage"}
            bob< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"bob","reason":"parted"}
            cid> {"type":"bye"}
            cid< closed 1000 bye
            ann< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"bye"}
        "#]],
    )
    .await;
}

async fn viewers_wait_for_somebody_who_may_be_host(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"stage","userdata":"viewer"}
            ann< {"type":"joined","channel":"stage","peers":0}
            bob> {"type":"join","channel":"stage","userdata":"viewer"}
            bob< {"type":"joined","channel":"stage","peers":0}
            ann> {"type":"send","id":1,"peer_id":"$bob","data":1}
            ann< {"type":"error","code":"unknown_peer","id":1,"peer_id":"bob"}
            ann> {"type":"send","id":2,"channel":"stage","data":2}
            ann< {"type":"ok","id":2}
            ann> {"type":"setUserdata","channel":"stage","userdata":"no viewer any more"}
            cid> {"type":"join","channel":"stage"}
            cid< {"type":"joined","channel":"stage","peers":2}
            cid< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":"no viewer any more"}
            cid< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.4","userdata":"viewer"}
            ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null,"host":true}
            bob< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null,"host":true}
            dee> {"type":"join","channel":"stage"}
            dee< {"type":"joined","channel":"stage","peers":1}
            dee< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":true,"connection_id":"epoch.5","userdata":null,"host":true}
            cid< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.5","userdata":null}
            cid> {"type":"bye"}
            cid< closed 1000 bye
            ann< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"bye"}
            ann< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.6","userdata":null,"host":true}
            bob< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"bye"}
            bob< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.6","userdata":null,"host":true}
            dee< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"bye"}
            dee< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.6","userdata":"no viewer any more"}
            dee< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.6","userdata":"viewer"}
            dee> {"type":"part","channel":"stage"}
            dee< {"type":"parted","channel":"stage"}
            dee< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            dee< {"type":"removePeer","channel":"stage","peer_id":"bob","reason":"parted"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"dee","reason":"parted"}
            bob< {"type":"removePeer","channel":"stage","peer_id":"dee","reason":"parted"}
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":0}
        "#]],
    )
    .await;
}

async fn members_reach_the_host_and_the_host_reaches_all(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":0}
            bob> {"type":"join","channel":"stage"}
            bob< {"type":"joined","channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","channel":"stage"}
            cid< {"type":"joined","channel":"stage","peers":1}
            cid< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob> {"type":"send","id":1,"channel":"stage","data":1}
            bob< {"type":"ok","id":1}
            ann< {"type":"message","peer_id":"bob","channel":"stage","data":1}
            ann> {"type":"send","channel":"stage","data":2}
            bob< {"type":"message","peer_id":"ann","channel":"stage","data":2}
            cid< {"type":"message","peer_id":"ann","channel":"stage","data":2}
            bob> {"type":"send","id":3,"peer_id":"$cid","data":3}
            bob< {"type":"error","code":"unknown_peer","id":3,"peer_id":"cid"}
            bob> {"type":"send","peer_id":"$ann","data":4}
            ann< {"type":"message","peer_id":"bob","data":4}
            bob> {"type":"relaySessionDescription","peer_id":"$ann","session_description":{"type":"offer","sdp":"v=0"},"connection_id":"$epoch.2"}
            ann< {"type":"sessionDescription","peer_id":"bob","session_description":{"type":"offer","sdp":"v=0"},"connection_id":"epoch.2"}
            ann> {"type":"relaySessionDescription","peer_id":"$bob","session_description":{"type":"answer","sdp":"v=0"},"connection_id":"$epoch.2"}
            bob< {"type":"sessionDescription","peer_id":"ann","session_description":{"type":"answer","sdp":"v=0"},"connection_id":"epoch.2"}
            ann> {"type":"relayICECandidate","peer_id":"$cid","ice_candidate":null,"connection_id":"$epoch.3"}
            cid< {"type":"iceCandidate","peer_id":"ann","ice_candidate":null,"connection_id":"epoch.3"}
            cid> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.3"}
            cid< {"type":"error","code":"unknown_peer","peer_id":"bob","connection_id":"epoch.3"}
            bob> {"type":"setUserdata","id":5,"channel":"stage","userdata":5}
            bob< {"type":"ok","id":5}
            ann< {"type":"userdata","channel":"stage","peer_id":"bob","userdata":5}
            ann> {"type":"setUserdata","channel":"stage","userdata":6}
            bob< {"type":"userdata","channel":"stage","peer_id":"ann","userdata":6}
            cid< {"type":"userdata","channel":"stage","peer_id":"ann","userdata":6}
        "#]],
    )
    .await;
}

async fn an_introduction_to_a_former_host_is_stale(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":0}
            bob> {"type":"join","channel":"stage"}
            bob< {"type":"joined","channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","channel":"stage"}
            cid< {"type":"joined","channel":"stage","peers":1}
            cid< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            ann> {"type":"join","channel":"lobby"}
            ann< {"type":"joined","channel":"lobby","peers":0}
            bob> {"type":"join","channel":"lobby"}
            bob< {"type":"joined","channel":"lobby","peers":1}
            bob< {"type":"addPeer","channel":"lobby","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.5","userdata":null}
            ann< {"type":"addPeer","channel":"lobby","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.5","userdata":null}
            ann> {"type":"part","channel":"stage"}
            ann< {"type":"parted","channel":"stage"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"bob","reason":"parted"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"parted"}
            bob< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            bob< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":true,"connection_id":"epoch.6","userdata":null}
            cid< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            cid< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.6","userdata":null,"host":true}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null,"connection_id":"$epoch.2"}
            bob< {"type":"error","code":"stale_connection","peer_id":"ann","connection_id":"epoch.2"}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null,"connection_id":"$epoch.5"}
            ann< {"type":"iceCandidate","peer_id":"bob","ice_candidate":null,"connection_id":"epoch.5"}
            cid> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null,"connection_id":"$epoch.3"}
            cid< {"type":"error","code":"unknown_peer","peer_id":"ann","connection_id":"epoch.3"}
            cid> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.3"}
            cid< {"type":"error","code":"stale_connection","peer_id":"bob","connection_id":"epoch.3"}
            cid> {"type":"relayICECandidate","peer_id":"$bob","ice_candidate":null,"connection_id":"$epoch.6"}
            bob< {"type":"iceCandidate","peer_id":"cid","ice_candidate":null,"connection_id":"epoch.6"}
        "#]],
    )
    .await;
}

async fn a_star_has_so_many_seats_and_no_more(adapter: Adapter) {
    let limits = Limits { members_per_channel: 3, ..Limits::default() };
    check_on(
        &adapter.start_with(|builder| builder.limits(limits)).await,
        expect![[r#"
            ann> {"type":"join","channel":"stage"}
            ann< {"type":"joined","channel":"stage","peers":0}
            bob> {"type":"join","channel":"stage"}
            bob< {"type":"joined","channel":"stage","peers":1}
            bob< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","channel":"stage","userdata":"viewer"}
            cid< {"type":"joined","channel":"stage","peers":1}
            cid< {"type":"addPeer","channel":"stage","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null,"host":true}
            ann< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":"viewer"}
            dee> {"type":"join","id":1,"channel":"stage"}
            dee< {"type":"error","code":"channel_full","id":1,"channel":"stage"}
            ann> {"type":"part","channel":"stage"}
            ann< {"type":"parted","channel":"stage"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"bob","reason":"parted"}
            ann< {"type":"removePeer","channel":"stage","peer_id":"cid","reason":"parted"}
            bob< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            bob< {"type":"addPeer","channel":"stage","peer_id":"cid","should_create_offer":true,"connection_id":"epoch.5","userdata":"viewer"}
            cid< {"type":"removePeer","channel":"stage","peer_id":"ann","reason":"parted"}
            cid< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.5","userdata":null,"host":true}
            dee> {"type":"join","id":2,"channel":"stage"}
            dee< {"type":"joined","id":2,"channel":"stage","peers":1}
            dee< {"type":"addPeer","channel":"stage","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.6","userdata":null,"host":true}
            bob< {"type":"addPeer","channel":"stage","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.6","userdata":null}
        "#]],
    )
    .await;
}

async fn a_host_that_is_lost_stays_the_host_until_its_time_is_up(adapter: Adapter) {
    let limits = Limits { grace: SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let (ann, mut bob, mut cid) = stage_of_three(&server).await;
    let (lost, next) = (ann.peer.clone(), bob.peer.clone());
    ann.leave().await;
    for member in [&mut bob, &mut cid] {
        let removed = member.expect("removePeer").await;
        assert_eq!((&removed["peer_id"], &removed["reason"]), (&lost.as_str().into(), &"timeout".into()));
        let added = member.expect("addPeer").await;
        let is_host = member.peer == next;
        assert_eq!(added["should_create_offer"], is_host);
        assert_eq!((added["peer_id"] == next, added["host"] == true), (!is_host, !is_host));
    }
}

async fn a_host_that_comes_back_in_time_is_still_the_host(adapter: Adapter) {
    let server = adapter.start().await;
    let (ann, mut bob, mut cid) = stage_of_three(&server).await;
    let (token, received) = (ann.token.clone(), ann.received);
    ann.leave().await;
    bob.say(r#"{"type":"send","id":1,"channel":"stage","data":"are you there?"}"#).await;
    bob.expect("ok").await;
    let mut dee = server.client().await;
    assert_eq!(dee.join("stage").await.len(), 1);
    let (mut ann, _) = server.resume(&token, received).await;
    assert_eq!(ann.expect("message").await["data"], "are you there?");
    assert_eq!(ann.expect("addPeer").await["peer_id"], dee.peer.as_str());
    ann.say(r#"{"type":"send","channel":"stage","data":"yes"}"#).await;
    for member in [&mut bob, &mut cid, &mut dee] {
        assert_eq!(member.expect("message").await["data"], "yes");
    }
}

async fn the_host_may_be_kicked_or_taken_out_and_the_next_follows(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob, mut cid) = stage_of_three(&server).await;
    assert!(server.signaling.kick(&ann.peer.parse().unwrap()));
    ann.expect_close(4004, "kicked").await;
    for member in [&mut bob, &mut cid] {
        assert_eq!(member.expect("removePeer").await["reason"], "kicked");
    }
    assert_eq!(cid.expect("addPeer").await["host"], true);
    assert_eq!(bob.expect("addPeer").await.get("host"), None);
    assert!(server.signaling.remove(&bob.peer.parse().unwrap(), "stage"));
    assert_eq!(bob.hear_text().await, r#"{"type":"parted","channel":"stage"}"#);
    for member in [&mut bob, &mut cid] {
        assert_eq!(member.expect("removePeer").await["reason"], "kicked");
    }
    // Cid is the host now: who comes meets him.
    let introductions = bob.join("stage").await;
    let [host] = introductions.as_slice() else { panic!("one introduction, not {introductions:?}") };
    assert_eq!((&host["peer_id"], &host["host"]), (&cid.peer.as_str().into(), &true.into()));
}

/// Ann, who is the host, Bob and Cid; nothing is left to be heard.
async fn stage_of_three(server: &Server) -> (Client, Client, Client) {
    let (mut ann, mut bob, mut cid) = (server.client().await, server.client().await, server.client().await);
    for client in [&mut ann, &mut bob, &mut cid] {
        client.join("stage").await;
    }
    for _ in 0..2 {
        ann.expect("addPeer").await;
    }
    (ann, bob, cid)
}
