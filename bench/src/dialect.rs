//! What clients say to our server and to the rivals, and what they must hear.

/// A wire protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Version 1 of docs/protocol.md.
    Signal,
    /// That of rivals/node-ws/server.js.
    NodeWs,
}

/// What a peer has been told about the other one of a pair.
#[derive(Debug)]
pub(crate) struct Introduction {
    pub(crate) peer_id: String,
    pub(crate) connection_id: String,
    pub(crate) should_create_offer: bool,
}

/// What is relayed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload {
    Offer,
    Answer,
    Candidate,
}

impl Dialect {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Signal => "/signal",
            Self::NodeWs => "/",
        }
    }

    /// What a client says first on an open socket.
    pub(crate) fn hello(self) -> Option<&'static str> {
        match self {
            Self::Signal => Some(r#"{"type":"hello","version":1}"#),
            Self::NodeWs => None,
        }
    }

    pub(crate) fn is_welcome(self, text: &[u8]) -> bool {
        self == Self::Signal && text.starts_with(br#"{"type":"welcome","#)
    }

    pub(crate) fn join(self, channel: &str) -> String {
        match self {
            Self::Signal => format!(r#"{{"type":"join","id":1,"channel":"{channel}"}}"#),
            Self::NodeWs => format!(r#"{{"type":"join","room":"{channel}"}}"#),
        }
    }

    pub(crate) fn is_joined(self, text: &[u8]) -> bool {
        self == Self::Signal && text.starts_with(br#"{"type":"joined","#)
    }

    /// What a client says before it closes its socket for good.
    pub(crate) fn farewell(self) -> Option<&'static str> {
        match self {
            Self::Signal => Some(r#"{"type":"bye"}"#),
            Self::NodeWs => None,
        }
    }

    /// Whether a peer hears by this that the other one has left.
    pub(crate) fn is_farewell(self, text: &[u8]) -> bool {
        self == Self::Signal && text.starts_with(br#"{"type":"removePeer","#)
    }

    pub(crate) fn introduction(self, text: &str) -> Option<Introduction> {
        let (kind, id, offer) = match self {
            Self::Signal => (r#"{"type":"addPeer","#, "peer_id", "should_create_offer"),
            Self::NodeWs => (r#"{"type":"peer","#, "id", "offer"),
        };
        let should_create_offer = text.starts_with(kind).then(|| literal(text, offer))?? == "true";
        let connection_id = self.acknowledges().then(|| quoted(text, "connection_id"));
        let connection_id = connection_id.unwrap_or(Some(""))?.to_owned();
        Some(Introduction { peer_id: quoted(text, id)?.to_owned(), connection_id, should_create_offer })
    }

    /// The frames that a peer sends to the one that it has been introduced to.
    pub(crate) fn relay(self, payload: Payload, to: &Introduction) -> Numbered {
        self.frames(payload, to, "relaySessionDescription", "relayICECandidate", "to")
    }

    /// The frames that it must hear from that one.
    pub(crate) fn relayed(self, payload: Payload, from: &Introduction) -> Numbered {
        self.frames(payload, from, "sessionDescription", "iceCandidate", "from")
    }

    fn frames(
        self,
        payload: Payload,
        Introduction { peer_id, connection_id, .. }: &Introduction,
        description: &str,
        candidate: &str,
        other: &str,
    ) -> Numbered {
        let json = payload.json();
        if self == Self::NodeWs {
            return Numbered::new(format!(r#"{{"type":"relay","{other}":"{peer_id}","data":{json}}}"#));
        }
        let (kind, key) = match payload {
            Payload::Offer | Payload::Answer => (description, "session_description"),
            Payload::Candidate => (candidate, "ice_candidate"),
        };
        let belonging = format!(r#""connection_id":"{connection_id}","attempt":0"#);
        Numbered::new(format!(r#"{{"type":"{kind}","peer_id":"{peer_id}","{key}":{json},{belonging}}}"#))
    }

    /// Whether both sides count frames and acknowledge them.
    pub(crate) fn acknowledges(self) -> bool {
        self == Self::Signal
    }

    pub(crate) fn is_counted(self, text: &[u8]) -> bool {
        self.acknowledges() && !self.is_welcome(text)
    }

    pub(crate) fn acknowledgement(received: u64) -> String {
        format!(r#"{{"type":"ack","received":{received}}}"#)
    }

    /// The number of frames that the server says it has received.
    pub(crate) fn acknowledged(self, text: &[u8]) -> Option<u64> {
        let number = self.acknowledges().then(|| text.strip_prefix(br#"{"type":"ack","received":"#))??;
        str::from_utf8(number.strip_suffix(b"}")?).ok()?.parse().ok()
    }
}

impl Payload {
    /// JSON text with a number in it.
    fn json(self) -> String {
        let (before, filler, after, size) = match self {
            Self::Candidate => (
                r#"{"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.7 ######## typ srflx ufrag "#,
                "9Tx1",
                r#"","sdpMid":"0","sdpMLineIndex":0}"#,
                CANDIDATE_BYTES,
            ),
            Self::Offer => (r#"{"type":"offer","sdp":"v=0\r\no=- ########"#, SDP, r#""}"#, DESCRIPTION_BYTES),
            Self::Answer => {
                (r#"{"type":"answer","sdp":"v=0\r\no=- ########"#, SDP, r#""}"#, DESCRIPTION_BYTES)
            }
        };
        let room = size - before.len() - after.len();
        let mut text = before.to_owned() + &filler.repeat(room / filler.len());
        text.extend(std::iter::repeat_n('0', room % filler.len()));
        text + after
    }
}

/// Frames that differ by their number only.
#[derive(Debug)]
pub(crate) struct Numbered {
    text: Vec<u8>,
    digits: usize,
    next: u32,
}

impl Numbered {
    fn new(text: String) -> Self {
        let digits = text.find(DIGITS).expect("a place for the number");
        Self { text: text.into_bytes(), digits, next: 0 }
    }

    pub(crate) fn starting_at(self, next: u32) -> Self {
        Self { next, ..self }
    }

    pub(crate) fn next(&mut self) -> &[u8] {
        let mut rest = self.next;
        for digit in self.text[self.digits..self.digits + DIGITS.len()].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.next += 1;
        &self.text
    }

    /// Compares the next frame that must come with the one that has come, byte for byte.
    pub(crate) fn check(&mut self, received: &[u8]) -> crate::Result<()> {
        let expected = self.next();
        if expected == received {
            return Ok(());
        }
        let (expected, received) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(received));
        Err(format!("lost, changed or doubled: expected {expected}\nreceived {received}").into())
    }
}

/// The text of a string that needs no escapes.
pub(crate) fn quoted<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    literal(text, key)?.strip_prefix('"')?.strip_suffix('"')
}

/// The text of a value without commas and braces.
pub(crate) fn literal<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let (_, value) = text.split_once(&format!("\"{key}\":"))?;
    value.split([',', '}']).next()
}

const DIGITS: &str = "########";
const CANDIDATE_BYTES: usize = 200;
const DESCRIPTION_BYTES: usize = 3 << 10;
const SDP: &str = r"\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc";

#[cfg(test)]
mod tests {
    use super::*;

    fn other() -> Introduction {
        let (peer_id, connection_id) =
            ("b7Qn4cUeJ5oKxS9fVtA1iw".to_owned(), "9f3c61d2a07be458.17".to_owned());
        Introduction { peer_id, connection_id, should_create_offer: true }
    }

    #[test]
    fn payloads_have_the_sizes_that_are_told() {
        let sizes = [Payload::Offer, Payload::Answer, Payload::Candidate].map(|payload| payload.json().len());
        assert_eq!(sizes, [3072, 3072, 200]);
    }

    #[test]
    fn a_frame_that_is_lost_doubled_or_changed_is_seen() {
        for dialect in [Dialect::Signal, Dialect::NodeWs] {
            let frames = || dialect.relayed(Payload::Candidate, &other());
            let [mut server, mut client] = [frames(), frames()];
            client.check(server.next()).unwrap();
            let mut changed = server.next().to_vec();
            client.check(&changed).unwrap();
            assert!(client.check(&changed).is_err(), "doubled");
            *changed.last_mut().unwrap() = b']';
            assert!(frames().starting_at(1).check(&changed).is_err(), "changed");
            assert!(frames().check(server.next()).is_err(), "lost");
        }
    }

    #[test]
    fn introductions_are_read() {
        let text = r#"{"type":"addPeer","channel":"a","peer_id":"b7Qn","should_create_offer":false,"connection_id":"9f.17","userdata":{"n":17}}"#;
        let told = Dialect::Signal.introduction(text).unwrap();
        assert_eq!(
            (&*told.peer_id, &*told.connection_id, told.should_create_offer),
            ("b7Qn", "9f.17", false)
        );
        assert_eq!(literal(text, "n"), Some("17"));
        let told = Dialect::NodeWs.introduction(r#"{"type":"peer","id":"b7Qn","offer":true}"#).unwrap();
        assert_eq!((&*told.peer_id, told.should_create_offer), ("b7Qn", true));
    }
}
