//! Strangers who wait, and for how long.

use std::time::{Duration, Instant};

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::{
    ChannelName, ClientFrame, ClientMessage, Epoch, ErrorCode, Grant, Hub, Input, Limits, LocalLog,
    MatchGrant, Output, PeerId, SessionId,
};

#[test]
fn how_many_wait_is_told_when_it_changes() {
    check(
        "policy for four: capacity 4
         a b c: match four
         ---
         b: cancel four #2
         b: cancel four #3
         c ends closed",
        expect![[r#"
            b <- ok #2
            a c <- waiting in four, 2
            b <- ok #3
            a <- waiting in four, 1
            c ended: closed
        "#]],
    );
}

#[test]
fn who_loses_the_socket_waits_no_longer() {
    check(
        "a: match chat
         a detaches
         b: match chat
         a resumes
         a: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            a <- matchEnded in chat, detached
            b <- waiting in chat, 1
            b <- matched in chat: ~3
            b <- joined ~3, 1 peer
            b <- addPeer a in ~3, answer
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer b in ~3, offer
        "#]],
    );
}

#[test]
fn who_loses_the_socket_before_the_policy_has_decided_does_not_wait() {
    check(
        "policy for chat: is asked
         a: match chat {} #1
         a detaches
         policy allows a chat
         a resumes
         a: match chat #2
         policy denies a chat \"no\"",
        expect![[r#"
            policy <- a asks to match in chat {}
            a <- matchEnded in chat, detached #1
            policy <- a asks to match in chat
            a <- error unauthorized in chat #2: no
        "#]],
    );
}

#[test]
fn who_waits_for_too_long_is_told_so() {
    check(
        "policy for chat: patience 10s
         a: match chat
         wait 9s
         b: join lobby
         wait 1s
         b: match chat
         a: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            b <- joined lobby, 0 peers
            a <- matchEnded in chat, timeout
            b <- waiting in chat, 1
            b <- matched in chat: ~3
            b <- joined ~3, 1 peer
            b <- addPeer a in ~3, answer
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer b in ~3, offer
        "#]],
    );
}

#[test]
fn whose_session_ends_is_met_by_nobody() {
    check(
        "a: match chat
         a: bye
         b: match chat
         b ends kicked
         c: match chat",
        expect![[r#"
            a <- waiting in chat, 1
            close a: 1000 bye
            a ended: bye
            b <- waiting in chat, 1
            b ended: kicked
            c <- waiting in chat, 1
        "#]],
    );
}

#[test]
fn pools_count_as_channels() {
    let limits = Limits { channels_per_peer: 2, ..Limits::default() };
    check_with(
        limits,
        "a: join lobby
         a: match chat
         a: match music #1
         a: join other #2
         a: cancel chat
         a: match music leaving lobby #3
         a: match chat leaving music #4",
        expect![[r#"
            a <- joined lobby, 0 peers
            a <- waiting in chat, 1
            a <- error limit in music #1
            a <- error limit in other #2
            a <- parted lobby
            a <- waiting in music, 1 #3
            a <- parted music
            a <- waiting in chat, 1 #4
        "#]],
    );
}

#[test]
fn a_server_has_only_so_many_pools() {
    let limits = Limits { pools: 1, ..Limits::default() };
    check_with(
        limits,
        "a: match chat
         b: match music #1
         c: match chat
         b: match music #2",
        expect![[r#"
            a <- waiting in chat, 1
            b <- error limit in music #1
            a <- matched in chat: ~3
            a <- joined ~3, 1 peer
            a <- addPeer c in ~3, answer
            c <- matched in chat: ~3
            c <- joined ~3, 1 peer
            c <- addPeer a in ~3, offer
            b <- waiting in music, 1 #2
        "#]],
    );
}

#[test]
fn what_is_asked_of_a_pool_waits_for_the_decision_before() {
    check(
        "policy for chat: is asked
         a: match chat #1
         a: cancel chat #2
         a: match chat {} #3
         a: join lobby #4
         policy allows a chat
         policy allows a chat",
        expect![[r#"
            policy <- a asks to match in chat
            a <- joined lobby, 0 peers #4
            a <- waiting in chat, 1 #1
            a <- ok #2
            policy <- a asks to match in chat {}
            a <- waiting in chat, 1 #3
        "#]],
    );
}

#[test]
fn a_policy_that_takes_too_long_is_unavailable() {
    check(
        "policy for chat: is asked
         a: match chat #1
         wait 5s
         policy allows a chat
         b: match chat
         policy allows b chat",
        expect![[r#"
            policy <- a asks to match in chat
            a <- error unavailable in chat #1
            policy <- b asks to match in chat
            b <- waiting in chat, 1
        "#]],
    );
}

#[test]
fn from_two_to_as_many_as_a_channel_may_have_meet_at_a_time() {
    let limits = Limits { members_per_channel: 3, ..Limits::default() };
    check_with(
        limits,
        "policy for crowd: capacity 9
         a b c: match crowd
         policy for alone: capacity 1
         d e: match alone",
        expect![[r#"
            a <- waiting in crowd, 1
            b <- waiting in crowd, 2
            a <- waiting in crowd, 2
            a <- matched in crowd: ~3
            a <- joined ~3, 2 peers
            a <- addPeer b in ~3, answer
            a <- addPeer c in ~3, answer
            b <- matched in crowd: ~3
            b <- joined ~3, 2 peers
            b <- addPeer a in ~3, offer
            b <- addPeer c in ~3, answer
            c <- matched in crowd: ~3
            c <- joined ~3, 2 peers
            c <- addPeer a in ~3, offer
            c <- addPeer b in ~3, offer
            d <- waiting in alone, 1
            d <- matched in alone: ~5
            d <- joined ~5, 1 peer
            d <- addPeer e in ~5, answer
            e <- matched in alone: ~5
            e <- joined ~5, 1 peer
            e <- addPeer d in ~5, offer
        "#]],
    );
}

#[test]
fn nobody_waits_for_longer_than_a_day() {
    check(
        "policy for chat: patience 1000000s
         a: match chat
         wait 86399s
         b: join lobby
         wait 1s",
        expect![[r#"
            a <- waiting in chat, 1
            b <- joined lobby, 0 peers
            a <- matchEnded in chat, timeout
        "#]],
    );
}

#[test]
fn asking_again_does_not_bring_last_partners_together() {
    check(
        "a b: match chat
         a: match chat leaving ~2
         b: match chat leaving ~2
         ---
         a: match chat 1
         b: match chat 2
         wait 2999ms
         wait 1ms",
        expect![[r#"
            a <- waiting in chat, 2
            b <- waiting in chat, 2
            a <- matched in chat: ~4
            a <- joined ~4, 1 peer
            a <- addPeer b in ~4, answer, 2
            b <- matched in chat: ~4
            b <- joined ~4, 1 peer
            b <- addPeer a in ~4, offer, 1
        "#]],
    );
}

#[test]
fn who_asks_again_is_told_once_how_many_wait() {
    check(
        "policy for four: capacity 4, patience 10s
         a: match four 1
         wait 4s
         a: match four 2
         b: match four
         wait 5999ms
         c: match four
         wait 1ms",
        expect![[r#"
            a <- waiting in four, 1 x2
            b <- waiting in four, 2
            a <- waiting in four, 2
            c <- waiting in four, 3
            a b <- waiting in four, 3
            a <- matchEnded in four, timeout
            b c <- waiting in four, 2
        "#]],
    );
}

#[test]
fn whoever_waits_has_one_deadline() {
    let (mut hub, mut log) = (Hub::new(Limits::default(), Epoch(7)), LocalLog::default());
    let (now, session) = (Instant::now(), SessionId(0));
    let peer = PeerId::new("a").unwrap();
    log.handle_input(
        &mut hub,
        now,
        Input::Connected { session, peer, identity: None, namespace: None },
        |_| {},
    );
    let mut token = None;
    let message = ClientMessage::Match { pool: "chat".into(), userdata: None, leave: None };
    let input = Input::Message { session, frame: ClientFrame { id: None, message } };
    log.handle_input(&mut hub, now, input, |output| {
        if let Output::Authorize { token: asked, .. } = output {
            token = Some(asked);
        }
    });
    let room = ChannelName::new("~1").unwrap();
    let grant = Grant::Match { grant: MatchGrant::default(), room };
    log.handle_input(&mut hub, now, Input::Authorized { token: token.unwrap(), grant }, |_| {});
    assert_eq!(hub.poll_timeout(), Some(now + Duration::from_secs(5 * 60)));
    let message = ClientMessage::CancelMatch { pool: "chat".into() };
    let input = Input::Message { session, frame: ClientFrame { id: None, message } };
    log.handle_input(&mut hub, now, input, |_| {});
    assert_eq!(hub.poll_timeout(), None);
}

#[test]
fn who_waits_for_less_than_three_seconds_never_meets_the_last_partner() {
    check(
        "policy for chat: patience 1s
         a b: match chat
         a: match chat leaving ~2
         b: match chat leaving ~2
         ---
         wait 999ms
         c: join lobby
         wait 1ms",
        expect![[r#"
            c <- joined lobby, 0 peers
            a <- matchEnded in chat, timeout
            b <- waiting in chat, 1
            b <- matchEnded in chat, timeout
        "#]],
    );
}

#[test]
fn a_second_answer_of_the_policy_has_no_effect() {
    let (mut hub, now, session) = (Hub::new(Limits::default(), Epoch(7)), Instant::now(), SessionId(0));
    hub.handle_input(
        now,
        Input::Connected { session, peer: PeerId::new("a").unwrap(), identity: None, namespace: None },
        |_| {},
    );
    let mut token = None;
    let message = ClientMessage::Match { pool: "chat".into(), userdata: None, leave: None };
    let input = Input::Message { session, frame: ClientFrame { id: None, message } };
    hub.handle_input(now, input, |output| {
        if let Output::Authorize { token: asked, .. } = output {
            token = Some(asked);
        }
    });
    let token = token.unwrap();
    let grant = Grant::Match { grant: MatchGrant::default(), room: ChannelName::new("~1").unwrap() };
    let mut outputs = 0;
    hub.handle_input(now, Input::Authorized { token, grant: grant.clone() }, |_| outputs += 1);
    assert_eq!(outputs, 1, "the entry is on its way");
    let (code, message) = (ErrorCode::Unauthorized, "no");
    hub.handle_input(now, Input::Denied { token, code, message }, |output| panic!("{output:?}"));
    hub.handle_input(now, Input::Authorized { token, grant }, |output| panic!("{output:?}"));
}
