//! A client that believes what it is told, and checks that it can be true.

use std::collections::{BTreeMap, BTreeSet};

use signal_core::{ConnectionId, RequestId, Role, ServerMessage};

/// What one client knows from what it was sent, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) peer: String,
    pub(crate) is_detached: bool,
    /// Its session is over: nothing may come any more.
    pub(crate) is_over: bool,
    pub(crate) is_held: bool,
    /// By channel and peer.
    pub(crate) channels: BTreeMap<String, BTreeMap<String, Introduction>>,
    /// The channels in which it has a seat, as the embedder is told.
    pub(crate) seats: BTreeSet<String>,
    /// The channels of which it was told that nobody is introduced in them.
    pub(crate) unlisted: BTreeSet<String>,
    /// The pools in which it waits.
    pub(crate) pools: BTreeSet<String>,
    /// The requests that have not been answered, with the pool in which it would not wait any longer.
    pub(crate) asked: BTreeMap<u64, Option<String>>,
    /// How many peers come next, in which channel.
    adding: Option<(String, usize)>,
    /// Who is gone next, from which channel.
    removing: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) connection_id: ConnectionId,
    pub(crate) role: Role,
}

impl Client {
    pub(crate) fn new(peer: &str) -> Self {
        Self { peer: peer.to_owned(), ..Self::default() }
    }

    pub(crate) fn receive(&mut self, message: &ServerMessage<'_>) {
        assert!(!self.is_over, "{} is over", self.peer);
        self.check_what_follows(message);
        match message {
            ServerMessage::Joined { id, channel, peers, .. } => {
                self.answered(*id);
                let known = self.channels.insert(channel.to_string(), BTreeMap::new());
                assert!(known.is_none_or(|known| known.len() == *peers), "joining again changes nothing");
                self.adding = (*peers > 0).then(|| (channel.to_string(), *peers));
            }
            ServerMessage::AddPeer { channel, peer_id, role, connection_id, .. } => {
                assert_ne!(&self.peer, peer_id);
                let introduction = Introduction { connection_id: *connection_id, role: *role };
                let peers = self.channels.get_mut(&**channel).expect("it is in the channel");
                assert_eq!(peers.insert(peer_id.to_string(), introduction), None, "{peer_id} is known");
            }
            ServerMessage::Parted { id, channel } => {
                self.answered(*id);
                let left = self.channels.remove(&**channel).unwrap_or_default();
                self.removing = left.into_keys().map(|peer| (channel.to_string(), peer)).collect();
            }
            ServerMessage::RemovePeer { channel, peer_id, .. } => {
                let was_told = self.removing.remove(&(channel.to_string(), peer_id.to_string()));
                let peers = self.channels.get_mut(&**channel);
                let is_known = || peers.is_some_and(|peers| peers.remove(&**peer_id).is_some());
                assert!(was_told || is_known(), "{peer_id} is not known in {channel}");
            }
            ServerMessage::Userdata { channel, peer_id, .. } => assert!(self.knows(channel, peer_id)),
            ServerMessage::SessionDescription { peer_id, .. }
            | ServerMessage::IceCandidate { peer_id, .. } => {
                self.check_speaker(peer_id);
            }
            ServerMessage::Message { peer_id, channel, .. } => match (peer_id, channel) {
                (Some(peer), Some(channel)) => {
                    assert!(self.knows(channel, peer) || self.unlisted.contains(&**channel));
                }
                (Some(peer), None) => self.check_speaker(peer),
                (None, channel) => {
                    assert!(channel.iter().all(|channel| self.channels.contains_key(&**channel)));
                }
            },
            ServerMessage::Waiting { id, pool, waiting } => {
                self.answered(*id);
                let is_new = self.pools.insert(pool.to_string());
                assert!(*waiting > 0 && (!is_new || id.is_some()), "{} does not wait", self.peer);
            }
            ServerMessage::Matched { id, pool, .. } | ServerMessage::MatchEnded { id, pool, .. } => {
                self.answered(*id);
                assert!(self.pools.remove(&**pool) || id.is_some(), "{} does not wait", self.peer);
            }
            ServerMessage::Ok { id } => {
                if let Some(pool) = self.answered(Some(id)) {
                    self.pools.remove(&pool);
                }
            }
            ServerMessage::Error { id, .. } => drop(self.answered(*id)),
            ServerMessage::Welcome { .. }
            | ServerMessage::IceServers { .. }
            | ServerMessage::Ack { .. }
            | ServerMessage::Pong
            | ServerMessage::Closing { .. } => panic!("the driver says this"),
        }
    }

    /// After an input everything has been said that belongs together.
    pub(crate) fn check_between_inputs(&self) {
        assert!(self.adding.is_none() && self.removing.is_empty(), "{self:?}");
        if !self.is_over {
            assert!(self.channels.keys().eq(&self.seats), "{self:?}");
        }
    }

    /// Who is introduced follows the answer to a join at once, and who is gone that to a part.
    fn check_what_follows(&mut self, message: &ServerMessage<'_>) {
        if let Some((to, left)) = &mut self.adding {
            assert!(matches!(message, ServerMessage::AddPeer { channel, .. } if channel == to));
            *left -= 1;
        }
        self.adding.take_if(|(_, left)| *left == 0);
        if let Some((from, _)) = self.removing.first() {
            assert!(matches!(message, ServerMessage::RemovePeer { channel, .. } if channel == from));
        }
    }

    fn knows(&self, channel: &str, peer: &str) -> bool {
        self.channels.get(channel).is_some_and(|peers| peers.contains_key(peer))
    }

    fn check_speaker(&self, peer: &str) {
        let is_introduced = self.channels.values().any(|peers| peers.contains_key(peer));
        assert!(is_introduced || !self.unlisted.is_empty(), "{} hears {peer}", self.peer);
    }

    /// Each request is answered once. One that cancels names the pool.
    fn answered(&mut self, id: Option<&RequestId>) -> Option<String> {
        let Some(RequestId::Number(id)) = id else { return None };
        let asked = self.asked.remove(id);
        asked.unwrap_or_else(|| panic!("{} is answered twice, or was not asked", self.peer))
    }
}
