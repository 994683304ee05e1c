//! That of matchbox_server, as matchbox_socket speaks it.

use std::time::Duration;

use super::{Dialect, Heard, Introduction, Numbered, Payload, Told, quoted};

#[derive(Debug)]
pub(crate) struct Matchbox;

impl Dialect for Matchbox {
    fn path(&self, _: usize, channel: &str) -> String {
        format!("/{channel}")
    }

    fn heartbeat(&self) -> Option<(Duration, &'static str)> {
        Some((Duration::from_secs(10), r#""KeepAlive""#))
    }

    fn hear(&self, text: &str) -> Option<Heard> {
        if let Some(own_id) = quoted(text, "IdAssigned") {
            return Some(Heard::Welcome(own_id.to_owned()));
        }
        if quoted(text, "PeerLeft").is_some() {
            return Some(Heard::Left);
        }
        Some(Heard::Introduced(Introduction::of(quoted(text, "NewPeer")?, true)))
    }

    /// The path has said it.
    fn join(&self, _: &str) -> Option<String> {
        None
    }

    fn tells(&self) -> Told {
        Told::Older
    }

    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered {
        signal("receiver", to, payload)
    }

    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered {
        signal("sender", from, payload)
    }
}

fn signal(key: &str, Introduction { peer_id, .. }: &Introduction, payload: Payload) -> Numbered {
    let data = match payload {
        Payload::Offer => format!(r#"{{"Offer":"{}"}}"#, payload.sdp()),
        Payload::Answer => format!(r#"{{"Answer":"{}"}}"#, payload.sdp()),
        // JSON in a string.
        Payload::Candidate => format!(r#"{{"IceCandidate":"{}"}}"#, payload.json().replace('"', r#"\""#)),
    };
    Numbered::new(format!(r#"{{"Signal":{{"{key}":"{peer_id}","data":{data}}}}}"#))
}
