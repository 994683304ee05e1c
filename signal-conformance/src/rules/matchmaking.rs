//! Strangers who meet.

use std::time::Instant;

use expect_test::expect;
use signal_tokio::Limits;

use super::{FOREVER, SHORT};
use crate::{
    Adapter,
    client::Client,
    conversation::{check, check_on},
    server::Server,
};

rules! { ($) matchmaking:
    the_longest_waiting_stranger_is_met_in_a_channel_of_its_own,
    the_one_who_has_waited_can_be_the_one_who_offers,
    those_who_have_met_speak_to_each_other_like_members_of_any_channel,
    nobody_else_joins_the_channel_of_a_match,
    the_channel_of_a_match_cannot_be_guessed_and_the_embedder_sees_it,
    three_meet_at_a_time_and_see_how_many_wait,
    asking_again_keeps_the_place_and_replaces_the_userdata,
    next_leaves_and_searches_by_one_message,
    one_may_wait_in_several_pools_and_they_do_not_mix,
    last_partners_meet_somebody_else_at_once_and_each_other_not,
    last_partners_meet_again_when_nobody_else_has_come_for_a_while,
    a_match_is_told_once_wherever_the_socket_was_lost,
}

async fn the_longest_waiting_stranger_is_met_in_a_channel_of_its_own(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            id-ann> {"type":"match","id":1,"pool":"chat","userdata":{"name":"Ann"}}
            id-ann< {"type":"waiting","id":1,"pool":"chat","waiting":1}
            bob> {"type":"match","id":"b","pool":"chat","userdata":{"name":"Bob"}}
            bob< {"type":"matched","id":"b","pool":"chat","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"id-ann","should_create_offer":true,"connection_id":"epoch.2","userdata":{"name":"Ann"},"identity":"id ann"}
            id-ann< {"type":"matched","pool":"chat","channel":"~1"}
            id-ann< {"type":"joined","channel":"~1","peers":1}
            id-ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":{"name":"Bob"}}
            cid> {"type":"match","pool":"chat"}
            cid< {"type":"waiting","pool":"chat","waiting":1}
            dee> {"type":"match","pool":"chat"}
            dee< {"type":"matched","pool":"chat","channel":"~2"}
            dee< {"type":"joined","channel":"~2","peers":1}
            dee< {"type":"addPeer","channel":"~2","peer_id":"cid","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            cid< {"type":"matched","pool":"chat","channel":"~2"}
            cid< {"type":"joined","channel":"~2","peers":1}
            cid< {"type":"addPeer","channel":"~2","peer_id":"dee","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            eve> {"type":"match","pool":"chat"}
            eve< {"type":"waiting","pool":"chat","waiting":1}
        "#]],
    )
    .await;
}

async fn the_one_who_has_waited_can_be_the_one_who_offers(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","pool":"resident"}
            ann< {"type":"waiting","pool":"resident","waiting":1}
            bob> {"type":"match","pool":"resident"}
            bob< {"type":"matched","pool":"resident","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"matched","pool":"resident","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
        "#]],
    )
    .await;
}

async fn those_who_have_met_speak_to_each_other_like_members_of_any_channel(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob> {"type":"match","pool":"chat"}
            bob< {"type":"matched","pool":"chat","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"matched","pool":"chat","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            bob> {"type":"relaySessionDescription","peer_id":"$ann","session_description":{"type":"offer","sdp":"v=0"},"connection_id":"$epoch.2"}
            ann< {"type":"sessionDescription","peer_id":"bob","session_description":{"type":"offer","sdp":"v=0"},"connection_id":"epoch.2"}
            ann> {"type":"send","id":1,"channel":"~1","data":1}
            ann< {"type":"ok","id":1}
            bob< {"type":"message","peer_id":"ann","channel":"~1","data":1}
            bob> {"type":"setUserdata","id":2,"channel":"~1","userdata":2}
            bob< {"type":"ok","id":2}
            ann< {"type":"userdata","channel":"~1","peer_id":"bob","userdata":2}
            ann> {"type":"join","id":3,"channel":"~1","userdata":3}
            ann< {"type":"joined","id":3,"channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":2}
            bob< {"type":"userdata","channel":"~1","peer_id":"ann","userdata":3}
            ann> {"type":"part","id":4,"channel":"~1"}
            ann< {"type":"parted","id":4,"channel":"~1"}
            ann< {"type":"removePeer","channel":"~1","peer_id":"bob","reason":"parted"}
            bob< {"type":"removePeer","channel":"~1","peer_id":"ann","reason":"parted"}
            bob> {"type":"relayICECandidate","peer_id":"$ann","ice_candidate":null}
            bob< {"type":"error","code":"unknown_peer","peer_id":"ann"}
            bob> {"type":"bye"}
            bob< closed 1000 bye
        "#]],
    )
    .await;
}

async fn nobody_else_joins_the_channel_of_a_match(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob> {"type":"match","pool":"chat"}
            bob< {"type":"matched","pool":"chat","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"matched","pool":"chat","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"join","id":1,"channel":"~1"}
            cid< {"type":"error","code":"unauthorized","id":1,"channel":"~1"}
            cid> {"type":"send","id":2,"channel":"~1","data":1}
            cid< {"type":"error","code":"not_joined","id":2,"channel":"~1"}
            bob> {"type":"part","channel":"~1"}
            bob< {"type":"parted","channel":"~1"}
            bob< {"type":"removePeer","channel":"~1","peer_id":"ann","reason":"parted"}
            ann< {"type":"removePeer","channel":"~1","peer_id":"bob","reason":"parted"}
            bob> {"type":"join","id":3,"channel":"~1"}
            bob< {"type":"error","code":"unauthorized","id":3,"channel":"~1"}
            cid> {"type":"join","id":4,"channel":"~mine"}
            cid< {"type":"error","code":"unauthorized","id":4,"channel":"~mine"}
        "#]],
    )
    .await;
}

async fn the_channel_of_a_match_cannot_be_guessed_and_the_embedder_sees_it(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut ann, mut bob, name) = two_who_have_met(&server).await;
    let random = name.strip_prefix('~').expect("a name that begins with ~");
    assert!(random.len() == 22 && random.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    let channel = server.signaling.channel(&name).unwrap();
    let members: Vec<_> = channel.members.iter().map(|member| member.peer.as_str()).collect();
    assert_eq!(members, [&ann.peer, &bob.peer]);
    assert!(server.signaling.remove(&ann.peer.parse().unwrap(), &name));
    assert_eq!(ann.expect("parted").await["channel"], name);
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect("removePeer").await["reason"], "kicked");
    }
}

async fn three_meet_at_a_time_and_see_how_many_wait(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","id":1,"pool":"trio"}
            ann< {"type":"waiting","id":1,"pool":"trio","waiting":1}
            bob> {"type":"match","id":1,"pool":"trio"}
            bob< {"type":"waiting","id":1,"pool":"trio","waiting":2}
            ann< {"type":"waiting","pool":"trio","waiting":2}
            cid> {"type":"match","id":1,"pool":"trio"}
            cid< {"type":"matched","id":1,"pool":"trio","channel":"~1"}
            cid< {"type":"joined","channel":"~1","peers":2}
            cid< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            cid< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            ann< {"type":"matched","pool":"trio","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":2}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            ann< {"type":"addPeer","channel":"~1","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            bob< {"type":"matched","pool":"trio","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":2}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            bob< {"type":"addPeer","channel":"~1","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            dee> {"type":"match","id":1,"pool":"trio"}
            dee< {"type":"waiting","id":1,"pool":"trio","waiting":1}
            eve> {"type":"match","id":1,"pool":"trio"}
            eve< {"type":"waiting","id":1,"pool":"trio","waiting":2}
            dee< {"type":"waiting","pool":"trio","waiting":2}
            dee> {"type":"bye"}
            dee< closed 1000 bye
            eve< {"type":"waiting","pool":"trio","waiting":1}
            bob> {"type":"part","channel":"~1"}
            bob< {"type":"parted","channel":"~1"}
            bob< {"type":"removePeer","channel":"~1","peer_id":"ann","reason":"parted"}
            bob< {"type":"removePeer","channel":"~1","peer_id":"cid","reason":"parted"}
            ann< {"type":"removePeer","channel":"~1","peer_id":"bob","reason":"parted"}
            cid< {"type":"removePeer","channel":"~1","peer_id":"bob","reason":"parted"}
        "#]],
    )
    .await;
}

async fn asking_again_keeps_the_place_and_replaces_the_userdata(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","id":1,"pool":"trio","userdata":1}
            ann< {"type":"waiting","id":1,"pool":"trio","waiting":1}
            bob> {"type":"match","pool":"trio"}
            bob< {"type":"waiting","pool":"trio","waiting":2}
            ann< {"type":"waiting","pool":"trio","waiting":2}
            ann> {"type":"match","id":2,"pool":"trio"}
            ann< {"type":"waiting","id":2,"pool":"trio","waiting":2}
            ann> {"type":"match","pool":"trio","userdata":2}
            ann< {"type":"waiting","pool":"trio","waiting":2}
            cid> {"type":"match","pool":"trio"}
            cid< {"type":"matched","pool":"trio","channel":"~1"}
            cid< {"type":"joined","channel":"~1","peers":2}
            cid< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":2}
            cid< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"matched","pool":"trio","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":2}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"addPeer","channel":"~1","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
            bob< {"type":"matched","pool":"trio","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":2}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":2}
            bob< {"type":"addPeer","channel":"~1","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
        "#]],
    )
    .await;
}

async fn next_leaves_and_searches_by_one_message(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","pool":"chat","userdata":"A"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob> {"type":"match","pool":"chat"}
            bob< {"type":"matched","pool":"chat","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":"A"}
            ann< {"type":"matched","pool":"chat","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            cid> {"type":"match","pool":"chat","leave":"lobby"}
            cid< {"type":"parted","channel":"lobby"}
            cid< {"type":"waiting","pool":"chat","waiting":1}
            ann> {"type":"match","id":1,"pool":"chat","leave":"~1"}
            ann< {"type":"parted","channel":"~1"}
            ann< {"type":"removePeer","channel":"~1","peer_id":"bob","reason":"parted"}
            ann< {"type":"matched","id":1,"pool":"chat","channel":"~2"}
            ann< {"type":"joined","channel":"~2","peers":1}
            ann< {"type":"addPeer","channel":"~2","peer_id":"cid","should_create_offer":true,"connection_id":"epoch.5","userdata":null}
            bob< {"type":"removePeer","channel":"~1","peer_id":"ann","reason":"parted"}
            cid< {"type":"matched","pool":"chat","channel":"~2"}
            cid< {"type":"joined","channel":"~2","peers":1}
            cid< {"type":"addPeer","channel":"~2","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.5","userdata":null}
            bob> {"type":"match","id":2,"pool":"chat","leave":"~1"}
            bob< {"type":"parted","channel":"~1"}
            bob< {"type":"waiting","id":2,"pool":"chat","waiting":1}
            cid> {"type":"match","id":3,"pool":"chat","leave":"~2"}
            cid< {"type":"parted","channel":"~2"}
            cid< {"type":"removePeer","channel":"~2","peer_id":"ann","reason":"parted"}
            cid< {"type":"matched","id":3,"pool":"chat","channel":"~3"}
            cid< {"type":"joined","channel":"~3","peers":1}
            cid< {"type":"addPeer","channel":"~3","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.9","userdata":null}
            ann< {"type":"removePeer","channel":"~2","peer_id":"cid","reason":"parted"}
            bob< {"type":"matched","pool":"chat","channel":"~3"}
            bob< {"type":"joined","channel":"~3","peers":1}
            bob< {"type":"addPeer","channel":"~3","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.9","userdata":null}
        "#]],
    )
    .await;
}

async fn one_may_wait_in_several_pools_and_they_do_not_mix(adapter: Adapter) {
    check(
        adapter,
        expect![[r#"
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob> {"type":"match","pool":"music"}
            bob< {"type":"waiting","pool":"music","waiting":1}
            ann> {"type":"match","pool":"music"}
            ann< {"type":"matched","pool":"music","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":true,"connection_id":"epoch.3","userdata":null}
            bob< {"type":"matched","pool":"music","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":false,"connection_id":"epoch.3","userdata":null}
            cid> {"type":"match","pool":"chat"}
            cid< {"type":"matched","pool":"chat","channel":"~2"}
            cid< {"type":"joined","channel":"~2","peers":1}
            cid< {"type":"addPeer","channel":"~2","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.4","userdata":null}
            ann< {"type":"matched","pool":"chat","channel":"~2"}
            ann< {"type":"joined","channel":"~2","peers":1}
            ann< {"type":"addPeer","channel":"~2","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.4","userdata":null}
        "#]],
    )
    .await;
}

async fn last_partners_meet_somebody_else_at_once_and_each_other_not(adapter: Adapter) {
    let limits = Limits { rematch: FOREVER, ..Limits::default() };
    check_on(
        &adapter.start_with(|builder| builder.limits(limits)).await,
        expect![[r#"
            ann> {"type":"match","pool":"chat"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob> {"type":"match","pool":"chat"}
            bob< {"type":"matched","pool":"chat","channel":"~1"}
            bob< {"type":"joined","channel":"~1","peers":1}
            bob< {"type":"addPeer","channel":"~1","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.2","userdata":null}
            ann< {"type":"matched","pool":"chat","channel":"~1"}
            ann< {"type":"joined","channel":"~1","peers":1}
            ann< {"type":"addPeer","channel":"~1","peer_id":"bob","should_create_offer":false,"connection_id":"epoch.2","userdata":null}
            ann> {"type":"match","pool":"chat","leave":"~1"}
            ann< {"type":"parted","channel":"~1"}
            ann< {"type":"removePeer","channel":"~1","peer_id":"bob","reason":"parted"}
            ann< {"type":"waiting","pool":"chat","waiting":1}
            bob< {"type":"removePeer","channel":"~1","peer_id":"ann","reason":"parted"}
            bob> {"type":"match","pool":"chat","leave":"~1"}
            bob< {"type":"parted","channel":"~1"}
            bob< {"type":"waiting","pool":"chat","waiting":2}
            ann< {"type":"waiting","pool":"chat","waiting":2}
            cid> {"type":"match","pool":"chat"}
            cid< {"type":"matched","pool":"chat","channel":"~2"}
            cid< {"type":"joined","channel":"~2","peers":1}
            cid< {"type":"addPeer","channel":"~2","peer_id":"ann","should_create_offer":true,"connection_id":"epoch.7","userdata":null}
            ann< {"type":"matched","pool":"chat","channel":"~2"}
            ann< {"type":"joined","channel":"~2","peers":1}
            ann< {"type":"addPeer","channel":"~2","peer_id":"cid","should_create_offer":false,"connection_id":"epoch.7","userdata":null}
            bob< {"type":"waiting","pool":"chat","waiting":1}
            ann> {"type":"match","pool":"chat","leave":"~2"}
            ann< {"type":"parted","channel":"~2"}
            ann< {"type":"removePeer","channel":"~2","peer_id":"cid","reason":"parted"}
            ann< {"type":"waiting","pool":"chat","waiting":2}
            bob< {"type":"waiting","pool":"chat","waiting":2}
            cid< {"type":"removePeer","channel":"~2","peer_id":"ann","reason":"parted"}
        "#]],
    )
    .await;
}

async fn last_partners_meet_again_when_nobody_else_has_come_for_a_while(adapter: Adapter) {
    let limits = Limits { rematch: SHORT, ..Limits::default() };
    let server = adapter.start_with(|builder| builder.limits(limits)).await;
    let (mut ann, mut bob, mut channel) = two_who_have_met(&server).await;
    for _ in 0..3 {
        let next = format!(r#"{{"type":"match","pool":"chat","leave":"{channel}"}}"#);
        let started = Instant::now();
        ann.say(&next).await;
        ann.expect("parted").await;
        ann.expect("removePeer").await;
        assert_eq!(ann.expect("waiting").await["waiting"], 1);
        bob.expect("removePeer").await;
        bob.say(&next).await;
        bob.expect("parted").await;
        for client in [&mut bob, &mut ann] {
            assert_eq!(client.expect("waiting").await["waiting"], 2);
        }
        let again = ann.expect_match(&bob).await;
        assert!(started.elapsed() >= SHORT, "they have met again after {:?}", started.elapsed());
        assert_eq!(bob.expect_match(&ann).await, again);
        assert_ne!(channel, again);
        channel = again;
    }
}

async fn a_match_is_told_once_wherever_the_socket_was_lost(adapter: Adapter) {
    let server = adapter.start().await;
    for received in 0..=4 {
        let (mut ann, mut bob) = (server.client().await, server.client().await);
        ann.search("chat").await;
        let mut told = vec![ann.hear_text().await];
        bob.search("chat").await;
        for _ in 0..3 {
            told.push(ann.hear_text().await);
        }
        let token = ann.token.clone();
        drop(ann);
        let (mut ann, _) = server.resume(&token, received).await;
        let missed = told.split_off(usize::try_from(received).unwrap());
        assert_eq!(ann.hear_all().await, (missed, None));
        let channel = bob.expect_match(&ann).await;
        bob.say(format!(r#"{{"type":"send","channel":"{channel}","data":1}}"#)).await;
        assert_eq!(ann.expect("message").await["channel"], channel);
        ann.bye().await;
    }
}

/// Ann and Bob, who have met, and the channel in which they are.
async fn two_who_have_met(server: &Server) -> (Client, Client, String) {
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.search("chat").await;
    ann.expect("waiting").await;
    bob.search("chat").await;
    let channel = ann.expect_match(&bob).await;
    assert_eq!(bob.expect_match(&ann).await, channel);
    (ann, bob, channel)
}
