//! That of rivals/socket-io/server.js, over Engine.IO 4 and Socket.IO 5, by WebSocket from the start.

use super::{Dialect, Heard, Introduction, Numbered, Payload, literal, quoted};

#[derive(Debug)]
pub(crate) struct SocketIo;

impl Dialect for SocketIo {
    fn path(&self, _: usize, _: &str) -> String {
        "/socket.io/?EIO=4&transport=websocket".to_owned()
    }

    /// An open connection gets a namespace, a ping its pong.
    fn reply(&self, text: &[u8]) -> Option<&'static str> {
        match text {
            [b'0', ..] => Some("40"),
            b"2" => Some("3"),
            _ => None,
        }
    }

    fn hear(&self, text: &str) -> Option<Heard> {
        if text.starts_with("40{") {
            return Some(Heard::Welcome(quoted(text, "sid")?.to_owned()));
        }
        if text.starts_with(r#"42["removePeer","#) {
            return Some(Heard::Left);
        }
        text.starts_with(r#"42["addPeer","#).then_some(())?;
        let offer = literal(text, "should_create_offer")? == "true";
        Some(Heard::Introduced(Introduction::of(quoted(text, "peer_id")?, offer)))
    }

    fn join(&self, channel: &str) -> Option<String> {
        Some(format!(r#"42["join",{{"channel":"{channel}"}}]"#))
    }

    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered {
        frame(payload, to, "relaySessionDescription", "relayICECandidate")
    }

    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered {
        frame(payload, from, "sessionDescription", "iceCandidate")
    }

    /// Leaves the namespace.
    fn farewell(&self) -> Option<&'static str> {
        Some("41")
    }
}

fn frame(payload: Payload, other: &Introduction, description: &str, candidate: &str) -> Numbered {
    let (event, key) = match payload {
        Payload::Offer | Payload::Answer => (description, "session_description"),
        Payload::Candidate => (candidate, "ice_candidate"),
    };
    let (Introduction { peer_id, .. }, json) = (other, payload.json());
    Numbered::new(format!(r#"42["{event}",{{"peer_id":"{peer_id}","{key}":{json}}}]"#))
}
