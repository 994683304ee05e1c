//! Strangers who wait, and for how long.

use std::time::Instant;

use expect_test::expect;
use signal_tokio::Limits;

use super::{FOREVER, SHORT};
use crate::{
    Adapter,
    conversation::{check, check_on},
    policy::ByName,
};

rules! { ($) waiting:
    who_cancels_waits_no_longer,
    a_refused_match_is_an_error_and_the_socket_stays,
    what_is_asked_of_a_pool_waits_for_the_decision_before,
    no_decision_in_time_is_unavailable,
    who_waits_for_too_long_is_told_so,
    whose_session_ends_is_met_by_nobody,
    who_loses_the_socket_waits_no_longer_and_is_told_so_afterwards,
    who_takes_another_socket_before_the_first_is_lost_waits_on,
    pools_count_as_channels,
    a_server_has_so_many_pools_and_no_more,
}

async fn who_cancels_waits_no_longer(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"cancelMatch","id":1,"pool":"chat"}
            ann< {"type":"ok","id":1}
            ann> {"type":"match","id":2,"pool":"chat"}
            ann< {"type":"waiting","id":2,"pool":"chat","waiting":1}
            ann> {"type":"cancelMatch","id":3,"pool":"chat"}
            ann< {"type":"ok","id":3}
            ann> {"type":"cancelMatch","pool":"chat"}
            bob> {"type":"match","id":1,"pool":"chat"}
            bob< {"type":"waiting","id":1,"pool":"chat","waiting":1}
            bob> {"type":"cancelMatch","pool":"chat"}
            ann> {"type":"match","id":4,"pool":"chat"}
            ann< {"type":"waiting","id":4,"pool":"chat","waiting":1}
        "#]],
    )
    .await;
}

async fn a_refused_match_is_an_error_and_the_socket_stays(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","id":1,"pool":"refused"}
            ann< {"type":"error","code":"unauthorized","id":1,"pool":"refused"}
            ann> {"type":"match","pool":"unavailable"}
            ann< {"type":"error","code":"unavailable","pool":"unavailable"}
            ann> {"type":"cancelMatch","id":2,"pool":"refused"}
            ann< {"type":"ok","id":2}
            ann> {"type":"join","channel":"lobby"}
            ann< {"type":"joined","channel":"lobby","peers":0}
            ann> {"type":"match","id":3,"pool":"refused","leave":"lobby"}
            ann< {"type":"parted","channel":"lobby"}
            ann< {"type":"error","code":"unauthorized","id":3,"pool":"refused"}
            bob> {"type":"match","pool":"chat"}
            bob< {"type":"waiting","pool":"chat","waiting":1}
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"matched","pool":"chat","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            bob< {"type":"matched","pool":"chat","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
        "#]],
    )
    .await;
    let mut client = adapter.start().await.client().await;
    client.search("refused").await;
    assert_eq!(client.expect_error("unauthorized").await["message"], "Not you.");
}

async fn what_is_asked_of_a_pool_waits_for_the_decision_before(adapter: Adapter) {
    let policy = ByName::default();
    let limits = Limits { authorize_timeout: FOREVER, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.policy(policy.clone()).limits(limits)).await;
    let mut ann = server.client().await;
    for request in [
        r#"{"type":"match","id":1,"pool":"later"}"#,
        r#"{"type":"cancelMatch","id":2,"pool":"later"}"#,
        r#"{"type":"match","id":3,"pool":"later"}"#,
        r#"{"type":"match","id":4,"pool":"later"}"#,
        r#"{"type":"join","id":5,"channel":"lobby"}"#,
        r#"{"type":"match","id":6,"pool":"chat"}"#,
    ] {
        ann.say(request).await;
    }
    assert_eq!(ann.expect("joined").await["id"], 5);
    assert_eq!(ann.expect("waiting").await["id"], 6);
    assert_eq!(ann.hear_all().await, (vec![], None));
    policy.gate.add_permits(2);
    for (answer, id) in [("waiting", 1), ("ok", 2), ("waiting", 3), ("waiting", 4)] {
        assert_eq!(ann.expect(answer).await["id"], id);
    }
    let mut bob = server.client().await;
    policy.gate.add_permits(1);
    bob.search("later").await;
    bob.expect_match(&ann).await;
}

async fn no_decision_in_time_is_unavailable(adapter: Adapter) {
    let limits = Limits { authorize_timeout: SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let mut ann = server.client().await;
    for id in 1..=2 {
        ann.say(format!(r#"{{"type":"match","id":{id},"pool":"never"}}"#)).await;
        let error = ann.expect_error("unavailable").await;
        assert_eq!((&error["id"], &error["pool"]), (&id.into(), &"never".into()));
    }
    // Who has lost the socket meanwhile is told when it is back.
    ann.say(r#"{"type":"match","id":3,"pool":"never"}"#).await;
    let (token, received) = (ann.token.clone(), ann.received);
    ann.leave().await;
    let (mut ann, _) = server.resume(&token, received).await;
    assert_eq!(ann.expect_error("unavailable").await["id"], 3);
    ann.search("chat").await;
    ann.expect("waiting").await;
}

async fn who_waits_for_too_long_is_told_so(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    for client in [&mut ann, &mut bob] {
        let started = Instant::now();
        client.search("brief").await;
        // Nobody is left there from before.
        assert_eq!(client.expect("waiting").await["waiting"], 1);
        assert_eq!(client.hear_text().await, r#"{"type":"matchEnded","pool":"brief","reason":"timeout"}"#);
        assert!(started.elapsed() >= SHORT, "too long is {:?}", started.elapsed());
    }
}

async fn whose_session_ends_is_met_by_nobody(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            ann> {"type":"bye"}
            ann< closed 1000 bye
            bob> {"type":"match","pool":"chat"}
            bob< {"type":"waiting","pool":"chat","waiting":1}
        "#]],
    )
    .await;
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.search("chat").await;
    ann.expect("waiting").await;
    assert!(server.signaling.kick(&ann.peer.parse().unwrap()));
    bob.search("chat").await;
    assert_eq!(bob.expect("waiting").await["waiting"], 1);
    ann.expect_close(4004, "kicked").await;
}

async fn who_loses_the_socket_waits_no_longer_and_is_told_so_afterwards(adapter: Adapter) {
    const ENDED: &str = r#"{"type":"matchEnded","pool":"chat","reason":"detached"}"#;
    let server = adapter.start().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.search("chat").await;
    ann.expect("waiting").await;
    let token = ann.token.clone();
    ann.leave().await;
    bob.search("chat").await;
    assert_eq!(bob.expect("waiting").await["waiting"], 1);
    // It is told again as long as it has not arrived, and then no more.
    let (mut ann, _) = server.resume(&token, 1).await;
    assert_eq!(ann.hear_text().await, ENDED);
    let token = ann.token.clone();
    drop(ann);
    let (mut ann, _) = server.resume(&token, 1).await;
    assert_eq!(ann.hear_all().await, (vec![ENDED.to_owned()], None));
    let (token, received) = (ann.token.clone(), ann.received);
    drop(ann);
    let (mut ann, _) = server.resume(&token, received).await;
    assert_eq!(ann.hear_all().await, (vec![], None));
    ann.search("chat").await;
    ann.expect_match(&bob).await;
    bob.expect_match(&ann).await;
}

async fn who_takes_another_socket_before_the_first_is_lost_waits_on(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut first, mut bob) = (server.client().await, server.client().await);
    first.search("chat").await;
    first.expect("waiting").await;
    let (mut ann, _) = server.resume(&first.token, first.received).await;
    first.expect_close(4001, "replaced").await;
    assert_eq!(ann.hear_all().await, (vec![], None));
    bob.search("chat").await;
    bob.expect_match(&ann).await;
    ann.expect_match(&bob).await;
}

async fn pools_count_as_channels(adapter: Adapter) {
    let limits = Limits { channels_per_peer: 2, ..Limits::default() };
    check_on(
        &adapter.start_with(|builder| builder.limits(limits)).await,
        expect![[r#"
            ann> {"type":"join","channel":"lobby"}
            ann< {"type":"joined","channel":"lobby","peers":0}
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            ann> {"type":"match","id":1,"pool":"music"}
            ann< {"type":"error","code":"limit","id":1,"pool":"music"}
            ann> {"type":"join","id":2,"channel":"other"}
            ann< {"type":"error","code":"limit","id":2,"channel":"other"}
            ann> {"type":"match","id":3,"pool":"chat"}
            ann< {"type":"waiting","id":3,"pool":"chat","waiting":1}
            ann> {"type":"cancelMatch","pool":"chat"}
            ann> {"type":"match","id":4,"pool":"music"}
            ann< {"type":"waiting","id":4,"pool":"music","waiting":1}
            ann> {"type":"match","id":5,"pool":"chat","leave":"lobby"}
            ann< {"type":"parted","channel":"lobby"}
            ann< {"type":"waiting","id":5,"pool":"chat","waiting":1}
        "#]],
    )
    .await;
}

async fn a_server_has_so_many_pools_and_no_more(adapter: Adapter) {
    let limits = Limits { pools: 1, ..Limits::default() };
    check_on(
        &adapter.start_with(|builder| builder.limits(limits)).await,
        expect![[r#"
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob> {"type":"match","id":1,"pool":"music"}
            bob< {"type":"error","code":"limit","id":1,"pool":"music"}
            cid> {"type":"match","pool":"chat"}
            cid< {"type":"matched","pool":"chat","channel":"~1"}
            cid< {"type":"joined","channel":"~1","peers":1}
            cid< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"matched","pool":"chat","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            bob> {"type":"match","id":2,"pool":"music"}
            bob< {"type":"waiting","id":2,"pool":"music","waiting":1}
            dee> {"type":"match","id":1,"pool":"chat"}
            dee< {"type":"error","code":"limit","id":1,"pool":"chat"}
        "#]],
    )
    .await;
}
