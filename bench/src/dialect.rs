//! What clients say to our server and to the rivals, and what they must hear.

mod floor;
mod matchbox;
mod node_ws;
mod payload;
mod peer_server;
pub(crate) mod signal;
mod socket_io;

use std::time::Duration;

pub(crate) use self::{
    floor::Floor,
    matchbox::Matchbox,
    node_ws::NodeWs,
    payload::{Numbered, Payload},
    peer_server::PeerServer,
    signal::Signal,
    socket_io::SocketIo,
};

/// A wire protocol, as a client sees it.
pub(crate) trait Dialect: Sync {
    /// Where a client asks for a socket. It will be in `channel`; of the two in a pair, one has an even number.
    fn path(&self, client: usize, channel: &str) -> String;

    /// What a client says at once to this frame, or to [`OPENED`](crate::inbox::OPENED). Nothing else is made of it then.
    fn reply(&self, _: &[u8]) -> Option<&'static str> {
        None
    }

    /// What a client says so often, whatever else it does.
    fn heartbeat(&self) -> Option<(Duration, &'static str)> {
        None
    }

    /// What a frame tells that was not sent by another client. What [`OPENED`](crate::inbox::OPENED) tells, if nothing else
    /// has to be waited for.
    fn hear(&self, text: &str) -> Option<Heard>;

    /// What a client says to be in a channel, unless the path has said it.
    fn join(&self, channel: &str) -> Option<String>;

    fn tells(&self) -> Told {
        Told::Both
    }

    /// What two know of each other whom nobody tells: they have agreed on their ids. The first has an even number.
    fn appointment(&self, _channel: &str) -> Option<[Introduction; 2]> {
        None
    }

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
    /// It may join. Its own id, or nothing where it is not told that.
    Welcome(String),
    /// It is in the channel.
    Joined,
    Introduced(Introduction),
    /// The other one has left.
    Left,
}

/// Who of two in a channel is told of the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Both,
    /// The one who was there before. The other one learns of it by an offer.
    Older,
    Nobody,
}

/// What a peer knows about the other one of a pair.
#[derive(Debug)]
pub(crate) struct Introduction {
    /// Its own id. Empty where frames do not name it.
    pub(crate) own_id: String,
    pub(crate) peer_id: String,
    /// Empty where connections have no ids.
    pub(crate) connection_id: String,
    pub(crate) should_create_offer: bool,
}

impl Introduction {
    /// By a protocol that names nothing but the peer.
    pub(crate) fn of(peer_id: &str, should_create_offer: bool) -> Self {
        let [own_id, connection_id] = [const { String::new() }; 2];
        Self { own_id, peer_id: peer_id.to_owned(), connection_id, should_create_offer }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn other() -> Introduction {
        let connection_id = "9f3c61d2a07be458.17".to_owned();
        Introduction { connection_id, ..Introduction::of("b7Qn4cUeJ5oKxS9fVtA1iw", true) }
    }

    #[test]
    fn a_frame_that_is_lost_doubled_or_changed_is_seen() {
        let dialects: [&dyn Dialect; _] = [&Signal, &Floor, &NodeWs, &SocketIo, &PeerServer, &Matchbox];
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
        let text = r#"42["addPeer",{"peer_id":"b7Qn","should_create_offer":true}]"#;
        assert_eq!(introduced(&SocketIo, text), ("b7Qn".to_owned(), String::new(), true));
        let text = r#"{"NewPeer":"b7Qn"}"#;
        assert_eq!(introduced(&Matchbox, text), ("b7Qn".to_owned(), String::new(), true));
    }
}
