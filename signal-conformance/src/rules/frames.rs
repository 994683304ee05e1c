//! Frames that are no good, and frames that only look so.

use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    Adapter,
    client::{Client, Heard},
    pair::Pair,
    server::Server,
    vectors::{self, Vector},
};

rules! { ($) frames:
    each_bad_frame_is_answered_by_its_error_and_disturbs_nobody,
    good_frames_that_look_bad_are_taken,
    a_binary_frame_is_an_error,
    a_frame_is_answered_up_to_128_kib_and_not_read_above,
    a_frame_that_claims_to_be_huge_is_not_waited_for,
    a_message_in_fragments_is_one_message_and_has_the_same_bound,
    a_frame_that_is_nested_10000_deep_is_an_error,
    a_relay_to_a_stranger_is_an_error_that_does_not_count,
    after_twenty_errors_the_socket_is_closed_and_all_have_been_told,
    nineteen_errors_close_nothing,
    text_that_is_not_utf_8_fails_the_connection,
    frames_that_are_none_of_websocket_fail_the_connection,
}

/// As many errors of form as one socket survives.
const MOST_ERRORS: usize = 19;

async fn each_bad_frame_is_answered_by_its_error_and_disturbs_nobody(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    for vectors in vectors::read("bad-frames.json").chunks(MOST_ERRORS) {
        let mut client = server.client().await;
        for Vector { name, text, error, id } in vectors {
            client.say(text).await;
            let answer = client.expect("error").await;
            assert_eq!(answer["code"].as_str(), error.as_deref(), "{name}: {answer}");
            assert_eq!(answer.get("id"), id.as_ref(), "{name}: {answer}");
            pair.exchange().await;
        }
    }
}

async fn good_frames_that_look_bad_are_taken(adapter: Adapter) {
    let server = adapter.start().await;
    for Vector { name, text, .. } in vectors::read("good-frames.json") {
        if text.contains(r#""type":"hello""#) {
            server.welcomed(&text).await;
            continue;
        }
        let mut client = server.client().await;
        client.join("room").await;
        client.say(text).await;
        let (answers, closed) = client.hear_all().await;
        let form = ["bad_message", "too_large", "unknown_type"];
        let is_error =
            |answer: &String| form.iter().any(|code| answer.contains(&format!(r#""code":"{code}""#)));
        assert!(closed.is_none() && !answers.iter().any(is_error), "{name}: {answers:?}");
    }
}

async fn a_binary_frame_is_an_error(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    client.say_frame(Message::binary(br#"{"type":"join","id":1,"channel":"room"}"#.as_slice())).await;
    assert_eq!(client.expect_error("bad_message").await.get("id"), None);
    client.join("room").await;
}

async fn a_frame_is_answered_up_to_128_kib_and_not_read_above(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    for size in [64 << 10, (64 << 10) + 1, 128 << 10] {
        let mut client = server.client().await;
        client.join("room").await;
        client.say(message_of(size)).await;
        if size > 64 << 10 {
            assert_eq!(client.expect_error("too_large").await.get("id"), None);
        }
        client.join("elsewhere").await;
        pair.exchange().await;
    }
    for size in [(128 << 10) + 1, 1 << 20] {
        let (mut client, mut witness) = with_witness(&server).await;
        client.say_without_waiting(message_of(size)).await;
        assert_eq!(client.hear().await, Heard::Closed(1009, "too_large".to_owned()));
        // What the server has not read must not take the close frame with it.
        assert!(!client.wire().is_reset());
        assert_eq!(witness.expect("removePeer").await["reason"], "closed");
        pair.exchange().await;
    }
}

async fn a_frame_that_claims_to_be_huge_is_not_waited_for(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut client, mut witness) = with_witness(&server).await;
    client.say_raw(&[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, b'{']).await;
    assert_eq!(client.hear().await, Heard::Closed(1009, "too_large".to_owned()));
    assert_eq!(witness.expect("removePeer").await["reason"], "closed");
}

async fn a_message_in_fragments_is_one_message_and_has_the_same_bound(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut client, mut witness) = with_witness(&server).await;
    for part in in_fragments(r#"{"type":"send","channel":"room","data":"in pieces"}"#, 7) {
        client.say_frame(part).await;
    }
    assert_eq!(witness.expect("message").await["data"], "in pieces");
    let text = message_of((128 << 10) + 1);
    for part in in_fragments(&text, 16 << 10) {
        client.say_frame(part).await;
    }
    assert_eq!(client.hear().await, Heard::Closed(1009, "too_large".to_owned()));
    assert_eq!(witness.expect("removePeer").await["reason"], "closed");
}

async fn a_frame_that_is_nested_10000_deep_is_an_error(adapter: Adapter) {
    let server = adapter.start().await;
    let (mut client, mut witness) = with_witness(&server).await;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let (open, close) = (open.repeat(10_000), close.repeat(10_000));
        client.say(format!(r#"{{"type":"send","channel":"room","data":{open}0{close}}}"#)).await;
        client.expect_error("bad_message").await;
    }
    assert_eq!(witness.hear_all().await, (vec![], None));
}

async fn a_relay_to_a_stranger_is_an_error_that_does_not_count(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    let (mut client, stranger) = (server.client().await, server.client().await);
    for id in 0..40 {
        let relay = format!(
            r#"{{"type":"relayICECandidate","id":{id},"peer_id":"{}","ice_candidate":null}}"#,
            stranger.peer
        );
        client.say(relay).await;
        assert_eq!(client.expect_error("unknown_peer").await["id"], id);
        pair.exchange().await;
    }
    client.join("room").await;
}

async fn after_twenty_errors_the_socket_is_closed_and_all_have_been_told(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    for _ in 0..10 {
        let (mut client, mut witness) = with_witness(&server).await;
        for _ in 0..=MOST_ERRORS {
            client.say("rubbish").await;
        }
        let (errors, closed) = client.hear_last().await;
        assert_eq!((errors.len(), closed), (20, Heard::Closed(4005, "protocol".to_owned())));
        assert!(errors.iter().all(|error| error.contains(r#""code":"bad_message""#)), "{errors:?}");
        assert_eq!(witness.expect("removePeer").await["reason"], "closed");
        witness.bye().await;
        pair.exchange().await;
    }
}

async fn nineteen_errors_close_nothing(adapter: Adapter) {
    let mut client = adapter.start().await.client().await;
    for _ in 0..MOST_ERRORS {
        client.say(r#"{"type":"rubbish"}"#).await;
        client.expect_error("unknown_type").await;
    }
    client.join("room").await;
}

async fn text_that_is_not_utf_8_fails_the_connection(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    let mut client = server.client().await;
    client.say_raw(&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]).await;
    client.expect_close(1007, "").await;
    pair.exchange().await;
}

async fn frames_that_are_none_of_websocket_fail_the_connection(adapter: Adapter) {
    let server = adapter.start().await;
    let mut pair = Pair::join(&server).await;
    let frames: [(&str, &[u8]); 5] = [
        ("not masked", &[0x81, 2, b'{', b'}']),
        ("compressed", &[0xc1, 0x82, 0, 0, 0, 0, b'{', b'}']),
        ("of an unknown kind", &[0x83, 0x80, 0, 0, 0, 0]),
        ("a ping in fragments", &[0x09, 0x80, 0, 0, 0, 0]),
        ("the middle of nothing", &[0x00, 0x80, 0, 0, 0, 0]),
    ];
    for (what, frame) in frames {
        let mut client = server.client().await;
        client.say_raw(frame).await;
        assert_eq!(client.hear_last().await, (vec![], Heard::Closed(1002, String::new())), "{what}");
        pair.exchange().await;
    }
}

/// A client, and another one who is in the same channel and has heard all so far.
async fn with_witness(server: &Server) -> (Client, Client) {
    let (mut client, mut witness) = (server.client().await, server.client().await);
    witness.join("room").await;
    client.join("room").await;
    witness.expect("addPeer").await;
    (client, witness)
}

fn message_of(size: usize) -> String {
    let (start, end) = (r#"{"type":"send","channel":"room","data":""#, r#""}"#);
    format!("{start}{}{end}", "d".repeat(size - start.len() - end.len()))
}

fn in_fragments(text: &str, size: usize) -> Vec<Message> {
    let mut parts = text.as_bytes().chunks(size).enumerate().peekable();
    let mut fragments = Vec::new();
    while let Some((index, part)) = parts.next() {
        let data = if index == 0 { Data::Text } else { Data::Continue };
        let is_last = parts.peek().is_none();
        fragments.push(Message::Frame(Frame::message(part.to_vec(), OpCode::Data(data), is_last)));
    }
    fragments
}
