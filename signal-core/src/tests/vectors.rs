//! The JSON files of `docs/vectors`, which the tests of the JavaScript client read, too.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{
    RequestId,
    codec::{self, DecodeError, FrameLimits},
};

/// A message. The frame is taken as the text that stands in the file.
#[derive(Deserialize)]
struct Message {
    name: String,
    frame: Box<RawValue>,
}

#[derive(Deserialize)]
struct Frame {
    name: String,
    text: Option<String>,
    parts: Option<Vec<(String, usize)>>,
    error: Option<String>,
    id: Option<Value>,
}

impl Frame {
    fn text(&self) -> String {
        match (&self.text, &self.parts) {
            (Some(text), None) => text.clone(),
            (None, Some(parts)) => parts.iter().map(|(text, times)| text.repeat(*times)).collect(),
            _ => panic!("{}: either text or parts", self.name),
        }
    }
}

#[test]
fn messages_of_clients_are_read_and_written_alike() {
    for Message { name, frame } in read("client-messages.json", |message: &Message| &message.name) {
        let text = frame.get();
        let decoded = decode(text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let mut encoded = Vec::new();
        codec::encode_client(&decoded, &mut encoded);
        let encoded = String::from_utf8(encoded).unwrap();
        assert_eq!(decode(&encoded), Ok(decoded), "{name}");
        assert_eq!(value(&encoded), known_keys(value(text)), "{name}");
    }
}

#[test]
fn bad_frames_are_refused_with_exactly_this_code_and_id() {
    for frame in read("bad-frames.json", |frame: &Frame| &frame.name) {
        let error = decode(&frame.text()).expect_err(&frame.name);
        assert_eq!(Some(error.code.as_str()), frame.error.as_deref(), "{}", frame.name);
        assert!(error.code.is_error_of_form(), "{}", frame.name);
        let id = error.id.map(|id| match id {
            RequestId::Number(number) => Value::from(number),
            RequestId::Text(text) => Value::from(text.as_str()),
        });
        assert_eq!(id, frame.id, "{}", frame.name);
    }
}

#[test]
fn good_frames_are_accepted() {
    for frame in read("good-frames.json", |frame: &Frame| &frame.name) {
        assert!(decode(&frame.text()).is_ok(), "{}", frame.name);
    }
}

#[test]
fn messages_of_the_server_are_written_byte_for_byte() {
    for Message { name, frame } in read("server-messages.json", |message: &Message| &message.name) {
        let text = frame.get();
        let decoded = codec::decode_server(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let message = decoded.message().unwrap_or_else(|| panic!("{name}: is no message"));
        let mut encoded = Vec::new();
        codec::encode(&message, &mut encoded);
        assert_eq!(String::from_utf8(encoded).unwrap(), text, "{name}");
    }
}

/// All keys of the frame in their order would be read like a struct from an array.
#[test]
fn an_array_with_a_value_for_each_key_is_no_frame() {
    let mut values = vec!["null"; 15];
    values[0] = r#""ping""#;
    assert!(decode(&format!("[{}]", values.join(","))).is_err());
}

/// The specification bounds these from above only; that they name nothing is found out later.
#[test]
fn a_token_or_connection_id_may_be_empty() {
    for text in [
        r#"{"type":"hello","version":1,"token":"","resume":{"token":"","received":0},"replaces":""}"#,
        r#"{"type":"relayICECandidate","peer_id":"b","ice_candidate":null,"connection_id":""}"#,
    ] {
        assert!(decode(text).is_ok(), "{text}");
    }
}

#[test]
fn what_a_later_server_may_say_is_no_error() {
    let message = |text| format!("{:?}", codec::decode_server(text).unwrap().message());
    assert_eq!(message(r#"{"type":"moved","peer_id":"p"}"#), "None");
    let gone = message(r#"{"type":"removePeer","channel":"c","peer_id":"p","reason":"abducted"}"#);
    assert!(gone.contains("Closed"), "{gone}");
}

fn decode(text: &str) -> Result<crate::ClientFrame<'_>, DecodeError> {
    codec::decode(text, &FrameLimits::default())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What is left of a frame when the keys are gone that do not belong to it: they are not passed on.
fn known_keys(mut frame: Value) -> Value {
    let object = frame.as_object_mut().unwrap();
    let kind = object["type"].as_str().unwrap().to_owned();
    let known: &[&str] = match kind.as_str() {
        "hello" => &["version", "token", "resume", "replaces"],
        "join" => &["channel", "userdata", "seat"],
        "setUserdata" => &["channel", "userdata"],
        "part" => &["channel"],
        "relaySessionDescription" => &["peer_id", "session_description", "connection_id", "attempt"],
        "relayICECandidate" => &["peer_id", "ice_candidate", "connection_id", "attempt"],
        "send" => &["peer_id", "channel", "data"],
        "match" => &["pool", "userdata", "leave"],
        "cancelMatch" => &["pool"],
        "ack" => &["received"],
        "ping" | "bye" => &[],
        _ => panic!("{kind}"),
    };
    object.retain(|key, _| ["type", "id"].contains(&key.as_str()) || known.contains(&key.as_str()));
    if let Some(resume) = object.get_mut("resume") {
        resume.as_object_mut().unwrap().retain(|key, _| ["token", "received"].contains(&key.as_str()));
    }
    frame
}

fn read<T: DeserializeOwned>(file: &str, name: impl Fn(&T) -> &String) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/vectors").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors: Vec<T> = serde_json::from_str(&text).unwrap();
    let names: BTreeSet<_> = vectors.iter().map(name).collect();
    assert!(!vectors.is_empty() && names.len() == vectors.len(), "{file}: each name once");
    vectors
}
