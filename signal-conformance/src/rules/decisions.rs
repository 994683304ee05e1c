//! Joins that the policy decides on, and what waits for them.

use std::{sync::Arc, time::Duration};

use expect_test::expect;
use signal_tokio::Limits;

use crate::{
    Adapter,
    conversation::{check, check_on},
    policy::ByName,
    server::Server,
};

rules! { ($) decisions:
    a_refused_join_is_an_error_and_the_socket_stays,
    a_decision_may_take_its_time,
    messages_for_the_channel_wait_and_others_do_not,
    more_messages_than_may_wait_are_not_read_until_there_is_room,
    no_decision_in_time_is_unavailable,
    a_decision_that_comes_too_late_gives_no_seat,
    who_goes_while_the_policy_decides_gets_no_seat,
    who_is_kicked_while_the_policy_decides_gets_no_seat,
    a_peer_has_so_many_channels_and_no_more,
    a_server_has_so_many_channels_and_no_more,
}

async fn a_refused_join_is_an_error_and_the_socket_stays(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"join","id":1,"channel":"refused"}
            ann< {"type":"error","code":"unauthorized","id":1,"channel":"refused"}
            ann> {"type":"join","channel":"unavailable"}
            ann< {"type":"error","code":"unavailable","channel":"unavailable"}
            ann> {"type":"send","channel":"refused","data":0}
            ann< {"type":"error","code":"not_joined","channel":"refused"}
            ann> {"type":"join","id":2,"channel":"room"}
            ann< {"type":"joined","id":2,"channel":"room","peers":0}
        "#]],
    )
    .await;
    let mut client = adapter.start().await.client().await;
    client.say(r#"{"type":"join","channel":"refused"}"#).await;
    assert_eq!(client.expect_error("unauthorized").await["message"], "Not you.");
}

async fn a_decision_may_take_its_time(adapter: Adapter) {
    let (server, policy) = with_gate(adapter).await;
    let mut ann = server.client().await;
    ann.say(r#"{"type":"join","channel":"later"}"#).await;
    assert_eq!(ann.hear_all().await, (vec![], None));
    policy.gate.add_permits(1);
    assert_eq!(ann.expect("joined").await["peers"], 0);
}

async fn messages_for_the_channel_wait_and_others_do_not(adapter: Adapter) {
    let (server, policy) = with_gate(adapter).await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    bob.join("room").await;
    for request in [
        r#"{"type":"join","id":1,"channel":"later","userdata":1}"#,
        r#"{"type":"setUserdata","id":2,"channel":"later","userdata":2}"#,
        r#"{"type":"send","id":3,"channel":"later","data":3}"#,
        r#"{"type":"part","id":4,"channel":"later"}"#,
        r#"{"type":"send","id":5,"channel":"later","data":5}"#,
        r#"{"type":"join","id":6,"channel":"room"}"#,
    ] {
        ann.say(request).await;
    }
    assert_eq!(ann.expect("joined").await["id"], 6);
    ann.expect("addPeer").await;
    policy.gate.add_permits(1);
    for (answer, id) in [("joined", 1), ("ok", 2), ("ok", 3), ("parted", 4), ("error", 5)] {
        assert_eq!(ann.expect(answer).await["id"], id);
    }
}

async fn more_messages_than_may_wait_are_not_read_until_there_is_room(adapter: Adapter) {
    let (server, policy) = with_gate(adapter).await;
    let mut ann = server.client().await;
    for _ in 0..20 {
        ann.say(r#"{"type":"join","channel":"later"}"#).await;
        for id in 0..30 {
            ann.say(format!(r#"{{"type":"send","id":{id},"channel":"later","data":{id}}}"#)).await;
        }
        ann.say(r#"{"type":"part","channel":"later"}"#).await;
        policy.gate.add_permits(1);
        ann.expect("joined").await;
        for id in 0..30 {
            assert_eq!(ann.expect("ok").await["id"], id);
        }
        ann.expect("parted").await;
        ann.acknowledge().await;
    }
}

async fn no_decision_in_time_is_unavailable(adapter: Adapter) {
    let limits = Limits { authorize_timeout: super::SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"join","id":1,"channel":"never"}"#).await;
    let error = client.expect_error("unavailable").await;
    assert_eq!((&error["id"], &error["channel"]), (&1.into(), &"never".into()));
    // It may be tried again.
    client.say(r#"{"type":"join","id":2,"channel":"never"}"#).await;
    assert_eq!(client.expect_error("unavailable").await["id"], 2);
    client.join("room").await;
}

async fn a_decision_that_comes_too_late_gives_no_seat(adapter: Adapter) {
    let limits = Limits { authorize_timeout: super::SHORT, ..Limits::default() };
    let policy = ByName::default();
    let server = adapter.start_with(|builder| builder.policy(policy.clone()).limits(limits)).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"join","channel":"later"}"#).await;
    client.expect_error("unavailable").await;
    policy.gate.add_permits(1);
    assert_eq!(client.hear_all().await, (vec![], None));
    assert_eq!(server.signaling.channels(), []);
}

async fn who_goes_while_the_policy_decides_gets_no_seat(adapter: Adapter) {
    let (server, policy) = with_gate(adapter).await;
    let mut ann = server.client().await;
    ann.say(r#"{"type":"join","channel":"later"}"#).await;
    ann.say(r#"{"type":"bye"}"#).await;
    ann.expect_close(1000, "bye").await;
    // The gate lets one through: Bob, as Ann has not been waiting any more or has got nothing by it.
    policy.gate.add_permits(2);
    let mut bob = server.client().await;
    assert_eq!(bob.join("later").await, Vec::<serde_json::Value>::new());
}

async fn who_is_kicked_while_the_policy_decides_gets_no_seat(adapter: Adapter) {
    for by_identity in [false, true] {
        let (server, policy) = with_gate(adapter).await;
        policy.gate.add_permits(1);
        let mut witness = server.client().await;
        witness.join("later").await;
        let mut ann = server.welcomed(r#"{"type":"hello","version":1,"token":"id ann"}"#).await;
        ann.say(r#"{"type":"join","channel":"later"}"#).await;
        assert_eq!(ann.hear_all().await, (vec![], None), "the policy is asked");
        if by_identity {
            assert_eq!(server.signaling.kick_identity("id ann"), 1);
        } else {
            assert!(server.signaling.kick(&ann.peer.parse().unwrap()));
        }
        ann.expect_close(4004, "kicked").await;
        // As above: one for Ann, and one for Bob, who comes after her.
        policy.gate.add_permits(2);
        let mut bob = server.client().await;
        assert_eq!(bob.join("later").await.len(), 1);
        assert_eq!(witness.expect("addPeer").await["peer_id"], bob.peer);
        assert_eq!(witness.hear_all().await, (vec![], None));
        let members = server.signaling.channel("later").unwrap().members;
        assert!(members.iter().all(|member| member.identity.is_none()), "{members:?}");
    }
}

async fn a_peer_has_so_many_channels_and_no_more(adapter: Adapter) {
    let limits = Limits { channels_per_peer: 2, ..Limits::default() };
    check_on(
        &adapter.start_with(|builder| builder.limits(limits)).await,
        expect![[r#"
            ann> {"type":"join","channel":"one"}
            ann< {"type":"joined","channel":"one","peers":0}
            ann> {"type":"join","channel":"two"}
            ann< {"type":"joined","channel":"two","peers":0}
            ann> {"type":"join","id":1,"channel":"three"}
            ann< {"type":"error","code":"limit","id":1,"channel":"three"}
            ann> {"type":"join","channel":"two"}
            ann< {"type":"joined","channel":"two","peers":0}
            ann> {"type":"part","channel":"one"}
            ann< {"type":"parted","channel":"one"}
            ann> {"type":"join","channel":"three"}
            ann< {"type":"joined","channel":"three","peers":0}
        "#]],
    )
    .await;
}

async fn a_server_has_so_many_channels_and_no_more(adapter: Adapter) {
    let limits = Limits { channels: 1, ..Limits::default() };
    check_on(
        &adapter.start_with(|builder| builder.limits(limits)).await,
        expect![[r#"
            ann> {"type":"join","channel":"one"}
            ann< {"type":"joined","channel":"one","peers":0}
            bob> {"type":"join","id":1,"channel":"two"}
            bob< {"type":"error","code":"limit","id":1,"channel":"two"}
            bob> {"type":"join","channel":"one"}
            bob< {"type":"joined","channel":"one","peers":1}
            bob< {"type":"addPeer","channel":"one","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"addPeer","channel":"one","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"type":"part","channel":"one"}
            ann< {"type":"parted","channel":"one"}
            ann< {"type":"removePeer","channel":"one","peer_id":"bob","reason":"parted"}
            bob< {"type":"removePeer","channel":"one","peer_id":"ann","reason":"parted"}
            bob> {"type":"part","channel":"one"}
            bob< {"type":"parted","channel":"one"}
            bob> {"type":"join","channel":"two"}
            bob< {"type":"joined","channel":"two","peers":0}
        "#]],
    )
    .await;
}

/// A server whose policy lets joins of `later` through one by one.
async fn with_gate(adapter: Adapter) -> (Server, Arc<ByName>) {
    let policy = ByName::default();
    let limits = Limits { authorize_timeout: Duration::from_secs(60), ..Limits::default() };
    let server = adapter.start_with(|builder| builder.policy(policy.clone()).limits(limits)).await;
    (server, Arc::new(policy))
}
