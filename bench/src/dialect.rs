//! What clients say to our server and to the rivals, and what they must hear.

mod floor;
mod node_ws;
mod payload;
pub(crate) mod signal;

pub(crate) use self::{
    floor::Floor,
    node_ws::NodeWs,
    payload::{Numbered, Payload},
    signal::Signal,
};

/// A wire protocol, as a client sees it.
pub(crate) trait Dialect: Sync {
    /// Where a client asks for a socket. It will be in `channel`; of the two in a pair, one has an even number.
    fn path(&self, client: usize, channel: &str) -> String;

    /// What a client says at once to this frame, or to [`OPENED`](crate::inbox::OPENED). Nothing else is made of it then.
    fn reply(&self, _: &[u8]) -> Option<&'static str> {
        None
    }

    /// What a frame tells that was not sent by another client, as well as [`OPENED`](crate::inbox::OPENED).
    fn hear(&self, text: &str) -> Option<Heard>;

    fn join(&self, channel: &str) -> String;

    /// The frames that a peer sends to the one that it has been introduced to.
    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered;

    /// The frames that it must hear from that one.
    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered;

    /// What a client says before it closes its socket for good.
    fn farewell(&self) -> Option<&'static str> {
        None
    }

    /// Whether both sides count frames and acknowledge them, as [`Signal`] does.
    fn acknowledges(&self) -> bool {
        false
    }
}

/// What a client is told by its server.
#[derive(Debug)]
pub(crate) enum Heard {
    /// It may join.
    Welcome,
    /// It is in the channel.
    Joined,
    Introduced(Introduction),
    /// The other one has left.
    Left,
}

/// What a peer has been told about the other one of a pair.
#[derive(Debug)]
pub(crate) struct Introduction {
    pub(crate) peer_id: String,
    /// Empty where connections have no ids.
    pub(crate) connection_id: String,
    pub(crate) should_create_offer: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn other() -> Introduction {
        let (peer_id, connection_id) =
            ("b7Qn4cUeJ5oKxS9fVtA1iw".to_owned(), "9f3c61d2a07be458.17".to_owned());
        Introduction { peer_id, connection_id, should_create_offer: true }
    }

    #[test]
    fn a_frame_that_is_lost_doubled_or_changed_is_seen() {
        let dialects: [&dyn Dialect; _] = [&Signal, &Floor, &NodeWs];
        for dialect in dialects {
            let frames = || dialect.relayed(Payload::Candidate, &other());
            let [mut server, mut client] = [frames(), frames()];
            client.check(server.next()).unwrap();
            let mut changed = server.next().to_vec();
            client.check(&changed).unwrap();
            assert!(client.check(&changed).is_err(), "doubled");
            let last = changed.last_mut().unwrap();
            *last = !*last;
            assert!(frames().starting_at(1).check(&changed).is_err(), "changed");
            assert!(frames().check(server.next()).is_err(), "lost");
        }
    }

    #[test]
    fn introductions_are_read() {
        let introduced = |dialect: &dyn Dialect, text: &str| match dialect.hear(text) {
            Some(Heard::Introduced(told)) => (told.peer_id, told.connection_id, told.should_create_offer),
            heard => panic!("{heard:?}"),
        };
        let text = r#"{"type":"addPeer","channel":"a","peer_id":"b7Qn","should_create_offer":false,"connection_id":"9f.17","userdata":{"n":17}}"#;
        assert_eq!(introduced(&Signal, text), ("b7Qn".to_owned(), "9f.17".to_owned(), false));
        assert_eq!(literal(text, "n"), Some("17"));
        let text = r#"{"type":"peer","id":"b7Qn","offer":true}"#;
        assert_eq!(introduced(&NodeWs, text), ("b7Qn".to_owned(), String::new(), true));
    }
}
