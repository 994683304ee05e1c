use std::time::{Duration, Instant};

use expect_test::expect;

use super::transcript::{check, check_with};
use crate::{EndReason, Epoch, Hub, Input, JoinGrant, Limits, Output, PeerId, Position, SessionId, Token};

#[test]
fn nobody_is_told_when_a_socket_is_lost_and_comes_back() {
    check(
        "a b: join lobby
         ---
         a detaches
         wait 14s
         a resumes
         wait 60s
         b: tell a 1",
        expect![[r#"
            a <- message from b: 1
        "#]],
    );
}

#[test]
fn after_the_grace_time_the_others_get_remove_peer() {
    check(
        "a b: join lobby
         a c: join other
         ---
         a detaches
         wait 14999ms
         b: tell a 1
         wait 1ms
         b: tell a 2",
        expect![[r#"
            a <- message from b: 1
            b <- removePeer a from lobby, timeout
            c <- removePeer a from other, timeout
            a ended: timeout
            b <- error unknown_peer for a
        "#]],
    );
}

#[test]
fn grace_time_starts_again_with_each_loss_but_not_with_news_of_the_same_loss() {
    check(
        "a b: join lobby
         ---
         a detaches / wait 10s / a resumes / a detaches
         wait 10s
         a detaches
         wait 5s",
        expect![[r#"
            b <- removePeer a from lobby, timeout
            a ended: timeout
        "#]],
    );
}

#[test]
fn without_grace_time_a_lost_socket_ends_the_session() {
    check_with(
        Limits { grace: Duration::ZERO, ..Limits::default() },
        "a b: join lobby
         ---
         a detaches",
        expect![[r#"
            b <- removePeer a from lobby, timeout
            a ended: timeout
        "#]],
    );
}

#[test]
fn sessions_whose_time_is_up_at_the_same_moment_are_not_told_of_each_other() {
    check(
        "a b c d: join lobby
         ---
         a detaches / b detaches / d detaches
         wait 15s",
        expect![[r#"
            c <- removePeer a from lobby, timeout
            a ended: timeout
            c <- removePeer b from lobby, timeout
            b ended: timeout
            c <- removePeer d from lobby, timeout
            d ended: timeout
        "#]],
    );
}

#[test]
fn bye_ends_the_session_without_grace() {
    check(
        "a b: join lobby
         ---
         a: bye",
        expect![[r#"
            close a: 1000 bye
            b <- removePeer a from lobby, bye
            a ended: bye
        "#]],
    );
}

#[test]
fn the_others_are_told_why_a_session_has_ended() {
    check(
        "a b c d e: join lobby
         ---
         a ends kicked
         b ends overflow
         c ends replaced
         d ends closed",
        expect![[r#"
            b c d e <- removePeer a from lobby, kicked
            a ended: kicked
            c d e <- removePeer b from lobby, overflow
            b ended: overflow
            d e <- removePeer c from lobby, replaced
            c ended: replaced
            e <- removePeer d from lobby, closed
            d ended: closed
        "#]],
    );
}

#[test]
fn all_seats_are_given_up_before_the_session_is_gone() {
    check(
        "a b: join lobby
         a b: join other
         a: join alone
         ---
         a ends closed",
        expect![[r#"
            b <- removePeer a from lobby, closed
            b <- removePeer a from other, closed
            a ended: closed
        "#]],
    );
}

#[test]
fn an_old_deadline_does_not_touch_the_successor() {
    check(
        "a b: join lobby
         a detaches
         wait 5s
         a ends replaced
         a: join lobby
         ---
         wait 60s
         b: tell a 1",
        expect![[r#"
            a <- message from b: 1
        "#]],
    );
}

#[test]
fn twenty_errors_of_form_within_ten_seconds_close_the_socket() {
    check(
        "a b: join lobby
         ---
         a: rubbish x19
         wait 9999ms
         a: rubbish #20",
        expect![[r#"
            a <- error bad_message x19
            a <- error bad_message #20
            close a: 4005 protocol
            b <- removePeer a from lobby, closed
            a ended: closed
        "#]],
    );
}

#[test]
fn errors_of_form_are_forgotten_after_ten_seconds() {
    check(
        "a: rubbish x19
         wait 10s
         a: rubbish x19
         wait 10s
         a: rubbish
         a: join lobby",
        expect![[r#"
            a <- error bad_message x39
            a <- joined lobby, 0 peers
        "#]],
    );
}

#[test]
fn a_second_hello_is_an_error_of_form() {
    check(
        "a: hello #1 / a: hello x19",
        expect![[r#"
            a <- error bad_message #1
            a <- error bad_message x19
            close a: 4005 protocol
            a ended: closed
        "#]],
    );
}

#[test]
fn outcomes_of_races_never_close_the_socket() {
    check(
        "policy for full: capacity 0
         a: relay offer b x100
         a: say lobby 1 x100
         a: join full x16
         a: join full x16",
        expect![[r#"
            a <- error unknown_peer for b x100
            a <- error not_joined in lobby x100
            a <- error channel_full in full x32
        "#]],
    );
}

#[test]
fn a_detached_session_can_be_closed_for_errors_of_form_that_were_on_their_way() {
    check(
        "a b: join lobby
         a detaches
         ---
         a: rubbish x20",
        expect![[r#"
            a <- error bad_message x20
            close a: 4005 protocol
            b <- removePeer a from lobby, closed
            a ended: closed
        "#]],
    );
}

/// What a driver says about a session may come after the hub has ended it.
#[test]
fn an_input_for_a_session_that_is_not_there_has_no_effect() {
    let mut hub = Hub::new(Limits::default(), Epoch(7));
    let now = Instant::now();
    let (session, frame) = (SessionId(3), r#"{"type":"join","channel":"lobby"}"#);
    let token = Token { session, serial: 1 };
    let inputs = || {
        [
            Input::Message { session, frame: crate::codec::decode(frame, &Default::default()).unwrap() },
            Input::Malformed { session, code: crate::ErrorCode::BadMessage, id: None },
            Input::Authorized { token, grant: JoinGrant::default().into() },
            Input::Denied { token, code: crate::ErrorCode::Unauthorized, message: "" },
            Input::Refused { token },
            Input::Detached { session },
            Input::Resumed { session },
            Input::Expelled { session, channel: "lobby" },
            Input::Published { to: crate::Target::Session(session), data: crate::Payload::NULL },
            Input::Published { to: crate::Target::Channel("lobby"), data: crate::Payload::NULL },
            Input::Disconnected { session, reason: EndReason::Bye },
            Input::Timeout,
        ]
    };
    for input in inputs() {
        hub.handle_input(now, input, |output| panic!("{output:?}"));
    }
    let peer = PeerId::new("a").unwrap();
    hub.handle_input(now, Input::Connected { session, peer, identity: None, namespace: None }, |output| {
        panic!("{output:?}")
    });
    hub.handle_input(now, Input::Disconnected { session, reason: EndReason::Bye }, |_| {});
    for input in inputs() {
        hub.handle_input(now, input, |output| panic!("{output:?}"));
    }
    assert!(hub.is_empty());
}

/// The log may take its time with the seats of a session that has ended. Nobody shall get that session meanwhile.
#[test]
fn a_session_that_gives_up_its_seats_is_not_live() {
    let mut hub = Hub::new(Limits::default(), Epoch(7));
    let (session, mut entry) = (SessionId(0), None);
    let mut feed = |hub: &mut Hub, input: Input<'_>| {
        hub.handle_input(Instant::now(), input, |output| {
            if let Output::Authorize { token, .. } = output {
                entry = Some(Input::Authorized { token, grant: JoinGrant::default().into() });
            } else if let Output::Append { place, entry: appended, .. } = output {
                entry = Some(Input::Committed { place, position: Position(1), entry: appended });
            }
        });
        entry.take()
    };
    let frame = r#"{"type":"join","channel":"lobby"}"#;
    let frame = crate::codec::decode(frame, &Default::default()).unwrap();
    feed(
        &mut hub,
        Input::Connected { session, peer: PeerId::new("a").unwrap(), identity: None, namespace: None },
    );
    let authorized = feed(&mut hub, Input::Message { session, frame }).unwrap();
    let committed = feed(&mut hub, authorized).unwrap();
    feed(&mut hub, committed);
    assert!(hub.is_live(session));
    let parted = feed(&mut hub, Input::Disconnected { session, reason: EndReason::Kicked });
    assert!(parted.is_some() && !hub.is_live(session));
    assert_eq!(hub.session_of("a"), Some(session), "its number is taken still");
}
