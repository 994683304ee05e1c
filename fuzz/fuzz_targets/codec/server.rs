//! What a server sends, and what an embedder hands to it.

use signal_core::{OwnedPayload, ServerMessage, codec};

/// What a client written in Rust can make of it.
pub(crate) fn check(text: &str) {
    let Ok(frame) = codec::decode_server(text) else { return };
    if let Some(message) = frame.message() {
        check_message(&message);
    }
}

/// Any JSON of the embedder reaches clients as it is.
pub(crate) fn check_embedder(text: &str) {
    let Ok(payload) = OwnedPayload::from_json(text) else { return };
    assert_eq!(&*payload, text.trim_ascii());
    check_message(&ServerMessage::Message { peer_id: None, channel: None, data: payload.as_payload() });
}

/// What is written says the same, and is what would be written again.
pub(crate) fn check_message(message: &ServerMessage<'_>) {
    let written = write(message);
    let frame = codec::decode_server(&written).expect("what the codec writes it reads");
    let again = frame.message().expect("nothing is missing");
    assert_eq!(&again, message);
    assert_eq!(write(&again), written);
}

fn write(message: &ServerMessage<'_>) -> String {
    let mut out = Vec::new();
    codec::encode(message, &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}
