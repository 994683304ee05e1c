//! Version 1 of docs/protocol.md.

use super::{Dialect, Heard, Introduction, Numbered, Payload, literal, quoted};
use crate::inbox::OPENED;

pub(crate) const PATH: &str = "/signal";

#[derive(Debug)]
pub(crate) struct Signal;

impl Dialect for Signal {
    fn path(&self, _: usize, _: &str) -> String {
        PATH.to_owned()
    }

    fn reply(&self, text: &[u8]) -> Option<&'static str> {
        (text == OPENED).then_some(r#"{"type":"hello","version":1}"#)
    }

    fn hear(&self, text: &str) -> Option<Heard> {
        if is_welcome(text.as_bytes()) {
            return Some(Heard::Welcome(String::new()));
        }
        if text.starts_with(r#"{"type":"joined","#) {
            return Some(Heard::Joined);
        }
        if text.starts_with(r#"{"type":"removePeer","#) {
            return Some(Heard::Left);
        }
        text.starts_with(r#"{"type":"addPeer","#).then_some(())?;
        let offer = literal(text, "should_create_offer")? == "true";
        let connection_id = quoted(text, "connection_id")?.to_owned();
        let introduction = Introduction::of(quoted(text, "peer_id")?, offer);
        Some(Heard::Introduced(Introduction { connection_id, ..introduction }))
    }

    fn join(&self, channel: &str) -> Option<String> {
        Some(format!(r#"{{"type":"join","id":1,"channel":"{channel}"}}"#))
    }

    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered {
        frames(payload, to, "relaySessionDescription", "relayICECandidate")
    }

    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered {
        frames(payload, from, "sessionDescription", "iceCandidate")
    }

    fn farewell(&self) -> Option<&'static str> {
        Some(r#"{"type":"bye"}"#)
    }

    fn acknowledges(&self) -> bool {
        true
    }
}

/// What a member says to its whole channel.
pub(crate) fn to_channel(channel: &str) -> Numbered {
    let json = Payload::Candidate.json();
    Numbered::new(format!(r#"{{"type":"send","channel":"{channel}","data":{json}}}"#))
}

/// What the others in it must hear.
pub(crate) fn from_channel(channel: &str, peer_id: &str) -> Numbered {
    let json = Payload::Candidate.json();
    let sender = format!(r#""peer_id":"{peer_id}","channel":"{channel}""#);
    Numbered::new(format!(r#"{{"type":"message",{sender},"data":{json}}}"#))
}

/// Whether a frame of the server counts among those to acknowledge.
pub(crate) fn is_counted(text: &[u8]) -> bool {
    !is_welcome(text)
}

pub(crate) fn acknowledgement(received: u64) -> String {
    format!(r#"{{"type":"ack","received":{received}}}"#)
}

/// The number of frames that the server says it has received.
pub(crate) fn acknowledged(text: &[u8]) -> Option<u64> {
    let number = text.strip_prefix(br#"{"type":"ack","received":"#)?.strip_suffix(b"}")?;
    str::from_utf8(number).ok()?.parse().ok()
}

fn is_welcome(text: &[u8]) -> bool {
    text.starts_with(br#"{"type":"welcome","#)
}

fn frames(payload: Payload, other: &Introduction, description: &str, candidate: &str) -> Numbered {
    let (kind, key) = match payload {
        Payload::Offer | Payload::Answer => (description, "session_description"),
        Payload::Candidate => (candidate, "ice_candidate"),
    };
    let Introduction { peer_id, connection_id, .. } = other;
    let belonging = format!(r#""connection_id":"{connection_id}","attempt":0"#);
    let json = payload.json();
    Numbered::new(format!(r#"{{"type":"{kind}","peer_id":"{peer_id}","{key}":{json},{belonging}}}"#))
}
