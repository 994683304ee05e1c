//! A session as its client knows it: what is counted, what is kept, and what was said and heard in it.

use std::collections::{BTreeMap, VecDeque};

use signal_core::{
    ACK_EVERY, ClientFrame, ClientMessage, RequestId, ServerMessage,
    codec::{self, ServerFrame},
};

use super::view::{Asked, View};

/// One session of one client.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Among all sessions of the run.
    pub(super) number: usize,
    /// Of which start of the server it is.
    pub(super) life: u32,
    pub(super) peer: String,
    /// All that it was given, the newest last.
    pub(super) tokens: Vec<String>,
    /// How many counted frames there have been, from the client and to it.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// How many of those received the server has not been told of.
    pub(super) unacknowledged: u64,
    /// What the server may not have received, with its numbers.
    pub(super) kept: VecDeque<(u64, String)>,
    pub(super) is_over: bool,
    pub(super) view: View,
    /// What was said to others, by its number.
    pub(super) said: BTreeMap<u64, Said>,
    /// What others have said.
    pub(super) heard: Vec<Heard>,
}

/// Something that was said to others.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) to: Asked,
    /// Who must hear it if the introduction holds: peers and connection ids.
    pub(super) known: Vec<(String, String)>,
    /// Whether the server has passed it on; nothing as long as that is not known.
    pub(super) outcome: Option<bool>,
}

/// Something that another session has said, and in which channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Heard {
    pub(super) session: usize,
    pub(super) channel: Option<String>,
    pub(super) number: u64,
}

impl Session {
    /// The text of a request, which is counted and kept.
    pub(super) fn ask(&mut self, message: ClientMessage<'_>, asked: Asked) -> String {
        self.sent += 1;
        if let Asked::Say(_) | Asked::Tell(..) = asked {
            let channel =
                if let Asked::Say(channel) = &asked { self.view.channels.get(channel) } else { None };
            let known = channel.into_iter().flatten();
            let known = known.map(|(peer, known)| (peer.clone(), known.connection_id.clone())).collect();
            self.said.insert(self.sent, Said { to: asked.clone(), known, outcome: None });
        }
        self.view.asked.insert(self.sent, asked);
        let text = encode(Some(RequestId::Number(self.sent)), message);
        self.keep(text)
    }

    /// The text of a frame whose type nobody knows, which is counted all the same.
    pub(super) fn babble(&mut self) -> String {
        self.sent += 1;
        self.view.asked.insert(self.sent, Asked::Rubbish);
        let text = format!(r#"{{"type":"babble","id":{}}}"#, self.sent);
        self.keep(text)
    }

    fn keep(&mut self, text: String) -> String {
        self.kept.push_back((self.sent, text.clone()));
        text
    }

    /// What marks the payload of the next request.
    pub(super) fn tag(&self) -> String {
        format!("[{},{}]", self.number, self.sent + 1)
    }

    /// The server has received so many frames.
    pub(super) fn acknowledged(&mut self, received: u64) {
        let least = self.sent - self.kept.len() as u64;
        assert!(
            (least..=self.sent).contains(&received),
            "{received} are acknowledged, of {least} to {}",
            self.sent
        );
        self.kept.retain(|(number, _)| *number > received);
    }

    /// Takes a counted frame in. Whether it is time to acknowledge.
    pub(super) fn hear(&mut self, frame: &ServerFrame<'_>, log_is_slow: bool) -> bool {
        self.received += 1;
        self.unacknowledged += 1;
        let message = frame.message().expect("the server says what it shall");
        if let Some((number, is_fine)) = self.view.hear(&message, log_is_slow)
            && let Some(said) = self.said.get_mut(&number)
        {
            said.outcome = Some(is_fine);
        }
        if let ServerMessage::SessionDescription { session_description: payload, .. }
        | ServerMessage::IceCandidate { ice_candidate: payload, .. } = &message
        {
            self.note(payload.as_str(), None);
        } else if let ServerMessage::Message { peer_id: Some(_), channel, data } = &message {
            self.note(data.as_str(), channel.as_deref());
        }
        self.unacknowledged >= ACK_EVERY
    }

    fn note(&mut self, payload: &str, channel: Option<&str>) {
        let (session, number) = read_tag(payload);
        self.heard.push(Heard { session, channel: channel.map(ToOwned::to_owned), number });
    }

    pub(super) fn ack(&mut self) -> String {
        self.unacknowledged = 0;
        encode(None, ClientMessage::Ack { received: self.received })
    }
}

pub(super) fn encode(id: Option<RequestId>, message: ClientMessage<'_>) -> String {
    let mut text = Vec::new();
    codec::encode_client(&ClientFrame { id, message }, &mut text);
    String::from_utf8(text).expect("JSON is text")
}

fn read_tag(payload: &str) -> (usize, u64) {
    let tag = payload.split(['[', ']']).nth(1).and_then(|tag| tag.split_once(','));
    let (session, number) = tag.expect("what is said is marked");
    (session.parse().expect("a number"), number.parse().expect("a number"))
}
