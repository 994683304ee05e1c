//! That of PeerServer, as the client of PeerJS 1.5 speaks it.

use std::time::Duration;

use super::{Dialect, Heard, Introduction, Numbered, Payload, Told};

#[derive(Debug)]
pub(crate) struct PeerServer;

impl Dialect for PeerServer {
    fn path(&self, client: usize, channel: &str) -> String {
        format!("/peerjs?key=peerjs&id={}&token=k3v9x0q1zbp&version=1.5.5", id(client % 2, channel))
    }

    fn heartbeat(&self) -> Option<(Duration, &'static str)> {
        Some((Duration::from_secs(5), r#"{"type":"HEARTBEAT"}"#))
    }

    fn hear(&self, text: &str) -> Option<Heard> {
        (text == r#"{"type":"OPEN"}"#).then(|| Heard::Welcome(String::new()))
    }

    /// There are no channels, only ids.
    fn join(&self, _: &str) -> Option<String> {
        None
    }

    fn tells(&self) -> Told {
        Told::Nobody
    }

    fn appointment(&self, channel: &str) -> Option<[Introduction; 2]> {
        let introduction = |side: usize| Introduction {
            own_id: id(side, channel),
            peer_id: id(1 - side, channel),
            connection_id: format!("mc_{channel}"),
            should_create_offer: side == 0,
        };
        Some([0, 1].map(introduction))
    }

    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered {
        let (kind, json) = describe(payload, to);
        Numbered::new(format!(r#"{{"type":"{kind}","payload":{json},"dst":"{}"}}"#, to.peer_id))
    }

    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered {
        let (kind, json) = describe(payload, from);
        let Introduction { own_id, peer_id, .. } = from;
        Numbered::new(format!(r#"{{"type":"{kind}","src":"{peer_id}","dst":"{own_id}","payload":{json}}}"#))
    }
}

/// As long as those that the server would choose.
fn id(side: usize, channel: &str) -> String {
    format!("{:0>36}", format!("{channel}-{side}"))
}

fn describe(payload: Payload, Introduction { connection_id, .. }: &Introduction) -> (&'static str, String) {
    let (kind, key) = match payload {
        Payload::Offer => ("OFFER", "sdp"),
        Payload::Answer => ("ANSWER", "sdp"),
        Payload::Candidate => ("CANDIDATE", "candidate"),
    };
    let json = payload.json();
    (kind, format!(r#"{{"{key}":{json},"type":"media","connectionId":"{connection_id}"}}"#))
}
