//! What a client sends.

use std::borrow::Cow;

use serde_json::{Value, value::RawValue};
use signal_core::{
    ChannelName, ClientFrame, ClientMessage, ConnectionId, ErrorCode, Hello, Payload, PeerId, RequestId,
    ServerMessage,
    codec::{self, DecodeError, FrameLimits},
};

/// Bounds that short inputs meet.
const SMALL: FrameLimits = FrameLimits {
    message: 400,
    read: 800,
    depth: 4,
    keys: 5,
    session_description: 60,
    ice_candidate: 60,
    userdata: 20,
    token: 16,
};

pub(crate) fn check(text: &str) {
    let large = FrameLimits::default();
    let read = check_within(text, &large);
    if let Ok(frame) = check_within(text, &SMALL) {
        assert_eq!(read, Ok(frame), "larger bounds let no less through");
    }
}

fn check_within<'a>(text: &'a str, limits: &FrameLimits) -> Result<ClientFrame<'a>, DecodeError> {
    let read = codec::decode(text, limits);
    if codec::check(text, limits).is_ok() {
        assert!(serde_json::from_str::<&RawValue>(text).is_ok(), "what is let through is JSON");
    } else {
        assert!(read.is_err(), "the same bounds hold for a text of another protocol");
    }
    match &read {
        Ok(frame) => {
            check_json(text, limits);
            check_fields(frame, limits);
            check_writing(text, frame, limits);
        }
        Err(error) => check_error(text, error, limits),
    }
    read
}

/// Another parser reads it, too, and finds nothing that is too deep or too wide.
fn check_json(text: &str, limits: &FrameLimits) {
    assert!(text.len() <= limits.message);
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            assert!(value["type"].is_string());
            check_shape(&value, limits, 1);
        }
        // A number that fits no double is relayed as it is.
        Err(error) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
    }
}

fn check_shape(value: &Value, limits: &FrameLimits, depth: usize) {
    match value {
        Value::Object(object) => {
            assert!(depth <= limits.depth && object.len() <= limits.keys);
            object.values().for_each(|value| check_shape(value, limits, depth + 1));
        }
        Value::Array(array) => {
            assert!(depth <= limits.depth);
            array.iter().for_each(|value| check_shape(value, limits, depth + 1));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Each key is within its bound.
fn check_fields(frame: &ClientFrame<'_>, limits: &FrameLimits) {
    frame.id.iter().for_each(check_id);
    match &frame.message {
        ClientMessage::Hello(Hello { version: _, token, resume, replaces }) => {
            let resumed = resume.as_ref().map(|resume| (&resume.token, resume.received));
            assert!(resumed.is_none_or(|(_, received)| received < RequestId::NUMBER_END));
            let tokens = [token.as_ref(), resumed.map(|(token, _)| token), replaces.as_ref()];
            assert!(tokens.into_iter().flatten().all(|token| token.len() <= limits.token));
        }
        ClientMessage::Join { channel, userdata, seat } => {
            check_name(channel);
            check_userdata(*userdata, limits);
            assert!(seat.as_ref().is_none_or(|seat| seat.len() <= limits.token));
        }
        ClientMessage::Part { channel } | ClientMessage::SendToChannel { channel, data: _, echo: _ } => {
            check_name(channel);
        }
        ClientMessage::RelaySessionDescription { peer_id, session_description, connection_id, .. } => {
            assert!(session_description.as_str().len() <= limits.session_description);
            assert!(session_description.as_str().starts_with('{'));
            check_addressed(peer_id, connection_id.as_ref());
        }
        ClientMessage::RelayIceCandidate { peer_id, ice_candidate, connection_id, .. } => {
            assert!(ice_candidate.as_str().len() <= limits.ice_candidate);
            assert!(ice_candidate.as_str() == "null" || ice_candidate.as_str().starts_with('{'));
            check_addressed(peer_id, connection_id.as_ref());
        }
        ClientMessage::SetUserdata { channel, userdata } => {
            check_name(channel);
            check_userdata(Some(*userdata), limits);
        }
        ClientMessage::SendToPeer { peer_id, data: _ } => check_addressed(peer_id, None),
        ClientMessage::Match { pool, userdata, leave } => {
            check_name(pool);
            check_userdata(*userdata, limits);
            leave.iter().for_each(|channel| check_name(channel));
        }
        ClientMessage::CancelMatch { pool } => check_name(pool),
        ClientMessage::Ack { received } => assert!(*received < RequestId::NUMBER_END),
        ClientMessage::Ping | ClientMessage::Bye => {}
    }
}

fn check_id(id: &RequestId) {
    match id {
        RequestId::Number(number) => assert!(*number < RequestId::NUMBER_END),
        RequestId::Text(text) => assert!(text.len() <= RequestId::MAX_BYTES),
    }
}

fn check_name(name: &str) {
    assert!(ChannelName::new(name).is_ok());
}

fn check_userdata(userdata: Option<Payload<'_>>, limits: &FrameLimits) {
    assert!(userdata.is_none_or(|userdata| userdata.as_str().len() <= limits.userdata));
}

fn check_addressed(peer_id: &str, connection_id: Option<&Cow<'_, str>>) {
    assert!(PeerId::new(peer_id).is_ok());
    assert!(connection_id.is_none_or(|id| id.len() <= ConnectionId::MAX_BYTES));
}

/// What is written says the same, in no more bytes, and is what would be written again.
fn check_writing(text: &str, frame: &ClientFrame<'_>, limits: &FrameLimits) {
    let written = write(frame);
    assert!(written.len() <= text.len());
    let again = codec::decode(&written, limits).expect("what the codec writes it reads");
    assert_eq!(&again, frame);
    assert_eq!(write(&again), written);
}

fn write(frame: &ClientFrame<'_>) -> String {
    let mut out = Vec::new();
    codec::encode_client(frame, &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// What the client is told can be read by it.
fn check_error(text: &str, DecodeError { code, id }: &DecodeError, limits: &FrameLimits) {
    assert!(code.is_error_of_form());
    assert!(text.len() <= limits.message || (*code, id) == (ErrorCode::TooLarge, &None));
    id.iter().for_each(check_id);
    let mut message = ServerMessage::from(*code);
    if let ServerMessage::Error { id: slot, .. } = &mut message {
        *slot = id.as_ref();
    }
    super::server::check_message(&message);
}
