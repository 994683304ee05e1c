//! A client that believes what it is told, and checks that it can be true.

use std::collections::{BTreeMap, BTreeSet};

use super::settings;
use crate::{ErrorCode, RequestId, Role, ServerMessage, Topology};

/// What one client knows from the frames that it was sent, and what it waits for.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) peer: String,
    /// Its session is over: nothing may come any more.
    pub(super) is_over: bool,
    /// By channel and peer.
    pub(super) channels: BTreeMap<String, BTreeMap<String, Introduction>>,
    /// Channels of which it was told that they are unavailable, and nothing since.
    pub(super) in_doubt: BTreeSet<String>,
    /// By request id.
    pub(super) waits_for: BTreeMap<u64, Asked>,
    /// Who and how many must be told of next, after a `joined`.
    adding: Option<(String, usize, BTreeMap<String, Introduction>)>,
    /// Who is to be told of as gone next, after a `parted`.
    removing: BTreeSet<(String, String)>,
    /// The number in the last message from each peer, by peer and channel.
    heard: BTreeMap<(String, Option<String>), u64>,
    /// The last request of each channel that was answered.
    answered: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) connection_id: String,
    pub(super) role: Role,
    pub(super) userdata: String,
    pub(super) identity: Option<String>,
    pub(super) is_host: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) what: Kind,
    pub(super) channel: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Join,
    Part,
    Set,
    Say,
    Relay,
    Rubbish,
}

impl Client {
    pub(super) fn new(peer: &str) -> Self {
        Self { peer: peer.to_owned(), ..Self::default() }
    }

    pub(super) fn receive(&mut self, message: &ServerMessage<'_>) {
        assert!(!self.is_over, "{} has ended and is sent {message:?}", self.peer);
        self.check_that_nothing_comes_between(message);
        match message {
            ServerMessage::Joined { id, channel, peers, seat: _ } => self.joined(*id, channel, *peers),
            ServerMessage::Parted { id, channel } => self.parted(*id, channel),
            ServerMessage::AddPeer { channel, peer_id, role, connection_id, userdata, identity, is_host } => {
                let introduction = Introduction {
                    connection_id: connection_id.to_string(),
                    role: *role,
                    userdata: userdata.as_str().to_owned(),
                    identity: identity.as_ref().map(ToString::to_string),
                    is_host: *is_host,
                };
                self.add_peer(channel, peer_id, introduction);
            }
            ServerMessage::RemovePeer { channel, peer_id, reason: _ } => {
                let was_told = self.removing.remove(&(channel.to_string(), peer_id.to_string()));
                let mut was_known = || {
                    self.channels.get_mut(&**channel).is_some_and(|peers| peers.remove(&**peer_id).is_some())
                };
                assert!(was_told || was_known(), "{} does not know {peer_id} in {channel}", self.peer);
            }
            ServerMessage::SessionDescription { peer_id, attempt, .. }
            | ServerMessage::IceCandidate { peer_id, attempt, .. } => {
                self.heard(peer_id, None, u64::from(attempt.unwrap()));
            }
            ServerMessage::Message { peer_id: Some(peer_id), channel, data } => {
                self.heard(peer_id, channel.as_deref(), data.as_str().parse().unwrap());
            }
            ServerMessage::Message { peer_id: None, channel, .. } => {
                assert!(
                    self.channels.contains_key(channel.as_deref().unwrap()),
                    "the embedder spoke to members"
                );
            }
            ServerMessage::Userdata { channel, peer_id, userdata } => {
                let peers = self.channels.get_mut(&**channel).expect("it is in the channel");
                let peer = peers.get_mut(&**peer_id).expect("it knows the peer");
                userdata.as_str().clone_into(&mut peer.userdata);
            }
            ServerMessage::Ok { id } => {
                let asked = self.answer(id);
                let is_in = self.channels.contains_key(&asked.channel);
                match asked.what {
                    Kind::Set | Kind::Say => assert!(is_in, "{asked:?} of {}", self.peer),
                    Kind::Relay => {}
                    Kind::Join | Kind::Part | Kind::Rubbish => panic!("{asked:?} has an answer of its own"),
                }
            }
            ServerMessage::Error { code, id, channel, .. } => self.error(*code, *id, channel.as_deref()),
            ServerMessage::Waiting { .. }
            | ServerMessage::Matched { .. }
            | ServerMessage::MatchEnded { .. } => panic!("strangers have a model of their own: {message:?}"),
            ServerMessage::Welcome { .. }
            | ServerMessage::IceServers { .. }
            | ServerMessage::Ack { .. }
            | ServerMessage::Pong
            | ServerMessage::Closing { .. } => panic!("the driver says this: {message:?}"),
        }
    }

    /// After an input everything has been said that belongs together.
    pub(super) fn check_at_rest(&self) {
        assert!(self.adding.is_none(), "{} was promised more peers: {:?}", self.peer, self.adding);
        assert!(self.removing.is_empty(), "{} was told of a part, not of {:?}", self.peer, self.removing);
    }

    /// `addPeer` follows `joined` at once, and `removePeer` follows `parted`.
    fn check_that_nothing_comes_between(&self, message: &ServerMessage<'_>) {
        if let Some((channel, _, _)) = &self.adding {
            assert!(
                matches!(message, ServerMessage::AddPeer { channel: added, .. } if added == channel),
                "between joined and addPeer: {message:?}"
            );
        }
        if !self.removing.is_empty() {
            let is_next = matches!(message, ServerMessage::RemovePeer { channel, peer_id, .. }
                if self.removing.contains(&(channel.to_string(), peer_id.to_string())));
            assert!(is_next, "between parted and removePeer: {message:?}");
        }
    }

    fn joined(&mut self, id: Option<&RequestId>, channel: &str, peers: usize) {
        if let Some(id) = id {
            assert_eq!(self.answer(id).what, Kind::Join);
        }
        self.in_doubt.remove(channel);
        let known = self.channels.insert(channel.to_owned(), BTreeMap::new());
        let is_unlisted = settings(channel).topology == Topology::Unlisted;
        assert!(peers == 0 || !is_unlisted, "nobody is introduced there");
        if let Some(known) = &known {
            assert_eq!(known.len(), peers, "joining again changes nothing");
        }
        self.adding = Some((channel.to_owned(), peers, known.unwrap_or_default())).filter(|_| peers > 0);
    }

    fn add_peer(&mut self, channel: &str, peer: &str, introduction: Introduction) {
        assert_ne!(self.peer, peer, "introduced to itself");
        assert_ne!(settings(channel).topology, Topology::Unlisted, "nobody is introduced there");
        let peers = self.channels.get_mut(channel).expect("it is in the channel");
        if let Some((_, left, known)) = &mut self.adding {
            if !known.is_empty() {
                assert_eq!(known.get(peer), Some(&introduction), "joining again repeats what was");
            }
            *left -= 1;
        }
        self.adding.take_if(|(_, left, _)| *left == 0);
        assert_eq!(peers.insert(peer.to_owned(), introduction), None, "{peer} is introduced twice");
    }

    fn parted(&mut self, id: Option<&RequestId>, channel: &str) {
        if let Some(id) = id {
            assert_eq!(self.answer(id).what, Kind::Part);
        }
        self.in_doubt.remove(channel);
        let left = self.channels.remove(channel).unwrap_or_default();
        self.removing = left.into_keys().map(|peer| (channel.to_owned(), peer)).collect();
    }

    fn error(&mut self, code: ErrorCode, id: Option<&RequestId>, channel: Option<&str>) {
        if code == ErrorCode::Unavailable {
            self.in_doubt.insert(channel.expect("it names the channel").to_owned());
        }
        let Some(id) = id else { return };
        let asked = if code == ErrorCode::Limit { self.turned_away(id) } else { self.answer(id) };
        let fits = match code {
            ErrorCode::Unauthorized | ErrorCode::ChannelFull => asked.what == Kind::Join,
            ErrorCode::Limit | ErrorCode::Unavailable => !matches!(asked.what, Kind::Relay | Kind::Rubbish),
            ErrorCode::NotJoined => {
                matches!(asked.what, Kind::Set | Kind::Say) && !self.channels.contains_key(&asked.channel)
            }
            ErrorCode::UnknownPeer | ErrorCode::StaleConnection => asked.what == Kind::Relay,
            ErrorCode::BadMessage => asked.what == Kind::Rubbish,
            ErrorCode::TooLarge | ErrorCode::UnknownType | ErrorCode::UnsupportedVersion => false,
        };
        assert!(fits, "{asked:?} of {} is answered {code}", self.peer);
    }

    /// Requests about one channel are answered in their order.
    fn answer(&mut self, id: &RequestId) -> Asked {
        let asked = self.turned_away(id);
        let RequestId::Number(number) = *id else { panic!("{id:?} was not asked") };
        if !asked.channel.is_empty() {
            let last = self.answered.insert(asked.channel.clone(), number);
            assert!(last.is_none_or(|last| last < number), "{number} is answered after {last:?}");
        }
        asked
    }

    /// A request that may not wait is answered before those that do.
    fn turned_away(&mut self, id: &RequestId) -> Asked {
        let RequestId::Number(number) = *id else { panic!("{id:?} was not asked") };
        self.waits_for
            .remove(&number)
            .unwrap_or_else(|| panic!("{number} is answered twice or was not asked"))
    }

    fn heard(&mut self, peer: &str, channel: Option<&str>, number: u64) {
        let is_introduced = |peers: &BTreeMap<String, Introduction>| peers.contains_key(peer);
        let mut unlisted = self.channels.keys().filter(|name| settings(name).topology == Topology::Unlisted);
        let may_speak = match channel {
            Some(name) if settings(name).topology == Topology::Unlisted => self.channels.contains_key(name),
            Some(name) => self.channels.get(name).is_some_and(is_introduced),
            None => unlisted.next().is_some() || self.channels.values().any(is_introduced),
        };
        assert!(may_speak, "{} hears {peer} in {channel:?} without an introduction", self.peer);
        let last = self.heard.insert((peer.to_owned(), channel.map(ToOwned::to_owned)), number);
        assert!(last.is_none_or(|last| last < number), "{number} comes after {last:?}");
    }
}
