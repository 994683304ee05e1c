//! What one stranger has been told.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ErrorCode, RequestId, ServerMessage};

#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) is_detached: bool,
    /// Nothing may come any more.
    pub(super) is_over: bool,
    /// The requests without an answer: the pool, and whether it is a match.
    pub(super) asked: BTreeMap<u64, (&'static str, bool)>,
    /// The pools in which it waits.
    pub(super) waits: BTreeSet<String>,
    /// The channel in which it is, with the others there.
    pub(super) rooms: BTreeMap<String, BTreeSet<String>>,
    /// The channels in which it has ever been.
    pub(super) matches: BTreeSet<String>,
    /// What has to follow a `matched`: the channel, and how many peers once that is known.
    follows: Option<(String, Option<usize>)>,
}

impl Client {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn receive(&mut self, message: &ServerMessage<'_>) {
        assert!(!self.is_over, "{} has ended and is sent {message:?}", self.name);
        match (self.follows.take(), message) {
            (Some((room, None)), ServerMessage::Joined { channel, peers, .. }) => {
                assert_eq!(room, **channel);
                self.follows = Some((room, Some(*peers)));
                assert!(*peers > 0, "{} is alone in {channel}", self.name);
            }
            (Some((room, Some(left))), ServerMessage::AddPeer { channel, peer_id, .. }) => {
                assert_eq!(room, **channel);
                assert_ne!(self.name, **peer_id, "met itself");
                assert!(self.rooms.get_mut(&room).unwrap().insert(peer_id.to_string()));
                self.follows = Some((room, Some(left - 1))).filter(|_| left > 1);
            }
            (Some(follows), other) => panic!("{other:?} comes before {follows:?}"),
            (None, other) => self.receive_alone(other),
        }
    }

    fn receive_alone(&mut self, message: &ServerMessage<'_>) {
        match message {
            ServerMessage::Waiting { id, pool, waiting } => {
                if let Some(id) = id {
                    assert!(self.answered(id), "only a match is answered so");
                    self.waits.insert(pool.to_string());
                }
                assert!(*waiting > 0 && self.waits.contains(&**pool), "{} waits in {pool}", self.name);
            }
            ServerMessage::Matched { id, pool, channel } => {
                match id {
                    Some(id) => assert!(self.answered(id), "only a match is answered so"),
                    None => assert!(self.waits.contains(&**pool), "{} waits in {pool}", self.name),
                }
                self.waits.remove(&**pool);
                assert!(!self.is_detached, "{} has no socket and meets somebody", self.name);
                assert!(self.matches.insert(channel.to_string()), "matched twice in {channel}");
                self.rooms.insert(channel.to_string(), BTreeSet::new());
                self.follows = Some((channel.to_string(), None));
            }
            ServerMessage::MatchEnded { id, pool, .. } => match id {
                Some(id) => assert!(self.answered(id), "only a match is answered so"),
                None => assert!(self.waits.remove(&**pool), "{} waits in {pool}", self.name),
            },
            ServerMessage::Parted { channel, .. } => {
                self.rooms.remove(&**channel);
            }
            ServerMessage::RemovePeer { channel, peer_id, .. } => {
                if let Some(room) = self.rooms.get_mut(&**channel) {
                    assert!(room.remove(&**peer_id), "{} has not met {peer_id} in {channel}", self.name);
                }
            }
            ServerMessage::Ok { id } => assert!(!self.answered(id), "a match has an answer of its own"),
            ServerMessage::Error { code, id, .. } => {
                // A part has no id; the log may have refused it.
                let fits =
                    matches!(code, ErrorCode::Unavailable | ErrorCode::Unauthorized | ErrorCode::Limit);
                assert!(fits, "{code}");
                if let Some(id) = id {
                    self.answered(id);
                }
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::IceServers { .. }
            | ServerMessage::Joined { .. }
            | ServerMessage::AddPeer { .. }
            | ServerMessage::SessionDescription { .. }
            | ServerMessage::IceCandidate { .. }
            | ServerMessage::Userdata { .. }
            | ServerMessage::Message { .. }
            | ServerMessage::Ack { .. }
            | ServerMessage::Pong
            | ServerMessage::Closing { .. } => panic!("{} is told {message:?}", self.name),
        }
    }

    pub(super) fn check_at_rest(&self) {
        assert_eq!(self.follows, None, "{} has not been told all", self.name);
    }

    /// Whether it was a match that is answered.
    fn answered(&mut self, id: &RequestId) -> bool {
        let RequestId::Number(number) = id else { panic!("{id:?} was not asked") };
        self.asked.remove(number).expect("an answer to what was asked").1
    }
}
