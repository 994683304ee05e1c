//! What one client knows from the frames that it was sent. It believes them, and checks that they can be true.

use std::collections::{BTreeMap, BTreeSet};

use signal_core::{ErrorCode, RequestId, Role, ServerMessage};

/// The channels of one session, and what it waits for.
#[derive(Debug, Default)]
pub(super) struct View {
    /// By channel and peer.
    pub(super) channels: BTreeMap<String, BTreeMap<String, Introduction>>,
    /// What brings a seat back after a restart, by channel.
    pub(super) seats: BTreeMap<String, String>,
    /// By the number of the request.
    pub(super) asked: BTreeMap<u64, Asked>,
    /// Whether it waits in the pool.
    pub(super) searches: bool,
    /// How many must be told of next, after a `joined`, and who was known there before.
    adding: Option<(String, usize, BTreeMap<String, Introduction>)>,
    /// Who is to be told of as gone next, after a `parted`.
    removing: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) connection_id: String,
    pub(super) role: Role,
    pub(super) userdata: String,
}

/// A request that is not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Join(String),
    Part(String),
    Set(String),
    /// To all in a channel.
    Say(String),
    /// To one peer, perhaps by an introduction.
    Tell(String, Option<String>),
    Match,
    Cancel,
    Rubbish,
}

/// How a request has ended.
pub(super) type Answer = (u64, bool);

impl View {
    /// Takes a counted message in, and says which request it answers.
    pub(super) fn hear(&mut self, message: &ServerMessage<'_>, log_is_slow: bool) -> Option<Answer> {
        self.check_that_nothing_comes_between(message);
        match message {
            ServerMessage::Joined { id, channel, peers, seat } => {
                seat.iter().for_each(|seat| {
                    self.seats.insert(channel.to_string(), seat.to_string());
                });
                let known = self.channels.insert(channel.to_string(), BTreeMap::new()).unwrap_or_default();
                assert!(known.is_empty() || known.len() == *peers, "joining again changes nothing");
                self.adding = Some((channel.to_string(), *peers, known)).filter(|_| *peers > 0);
                return id.map(|id| self.answer(id, &[Asked::Join(channel.to_string())]));
            }
            ServerMessage::Parted { id, channel } => {
                self.seats.remove(&**channel);
                let left = self.channels.remove(&**channel).unwrap_or_default();
                self.removing = left.into_keys().map(|peer| (channel.to_string(), peer)).collect();
                return id.map(|id| self.answer(id, &[Asked::Part(channel.to_string())]));
            }
            ServerMessage::AddPeer { channel, peer_id, role, connection_id, userdata, .. } => {
                self.add(
                    channel,
                    peer_id,
                    Introduction {
                        connection_id: connection_id.to_string(),
                        role: *role,
                        userdata: userdata.as_str().to_owned(),
                    },
                );
            }
            ServerMessage::RemovePeer { channel, peer_id, .. } => {
                let key = (channel.to_string(), peer_id.to_string());
                let is_known = self.removing.remove(&key)
                    || self.channels.get_mut(&key.0).is_some_and(|known| known.remove(&key.1).is_some());
                assert!(is_known, "{peer_id} is removed from {channel} without having been there");
            }
            ServerMessage::Userdata { channel, peer_id, userdata } => {
                let known = self.channels.get_mut(&**channel).and_then(|known| known.get_mut(&**peer_id));
                userdata.as_str().clone_into(&mut known.expect("it is about a peer that is known").userdata);
            }
            ServerMessage::Ok { id } => return Some(self.confirmed(id)),
            ServerMessage::Error { code, id, .. } => return Some(self.error(*code, *id, log_is_slow)),
            ServerMessage::Waiting { id, .. } => {
                self.searches = true;
                return id.map(|id| self.answer(id, &[Asked::Match]));
            }
            ServerMessage::Matched { id, .. } | ServerMessage::MatchEnded { id, .. } => {
                self.searches = false;
                return id.map(|id| self.answer(id, &[Asked::Match]));
            }
            ServerMessage::SessionDescription { peer_id, .. }
            | ServerMessage::IceCandidate { peer_id, .. } => {
                self.check_that_it_is_known(peer_id, None);
            }
            ServerMessage::Message { peer_id: Some(peer_id), channel, .. } => {
                self.check_that_it_is_known(peer_id, channel.as_deref());
            }
            ServerMessage::Message { peer_id: None, channel, .. } => {
                let is_member = channel.as_ref().is_none_or(|channel| self.channels.contains_key(&**channel));
                assert!(is_member, "the embedder speaks to members");
            }
            ServerMessage::IceServers { .. }
            | ServerMessage::Welcome { .. }
            | ServerMessage::Ack { .. }
            | ServerMessage::Pong
            | ServerMessage::Closing { .. } => unreachable!("it is not counted, or not configured"),
        }
        None
    }

    /// Everything has been said that belongs together.
    pub(super) fn check_at_rest(&self) {
        assert_eq!(self.adding, None, "somebody was to be added");
        assert_eq!(self.removing, BTreeSet::new(), "somebody was to be removed");
        assert_eq!(self.asked, BTreeMap::new(), "something is not answered");
    }

    /// All whom the client may speak to.
    pub(super) fn known(&self) -> Vec<&str> {
        self.channels.values().flat_map(|known| known.keys()).map(String::as_str).collect()
    }

    pub(super) fn connection_ids(&self, peer: &str) -> Vec<&str> {
        let introductions = self.channels.values().filter_map(|known| known.get(peer));
        introductions.map(|introduction| introduction.connection_id.as_str()).collect()
    }

    /// `addPeer` follows `joined` at once, and `removePeer` follows `parted`.
    fn check_that_nothing_comes_between(&self, message: &ServerMessage<'_>) {
        if let Some((channel, _, _)) = &self.adding {
            let is_next =
                matches!(message, ServerMessage::AddPeer { channel: added, .. } if added == channel);
            assert!(is_next, "between joined and addPeer: {message:?}");
        }
        if !self.removing.is_empty() {
            let is_next = matches!(message, ServerMessage::RemovePeer { channel, peer_id, .. }
                if self.removing.contains(&(channel.to_string(), peer_id.to_string())));
            assert!(is_next, "between parted and removePeer: {message:?}");
        }
    }

    fn add(&mut self, channel: &str, peer: &str, introduction: Introduction) {
        if let Some((_, left, known)) = &mut self.adding {
            let repeats = known.get(peer).is_none_or(|known| *known == introduction);
            assert!(
                repeats && (known.is_empty() || known.contains_key(peer)),
                "joining again repeats what was"
            );
            *left -= 1;
        }
        self.adding.take_if(|(_, left, _)| *left == 0);
        let peers = self.channels.get_mut(channel).expect("it is in the channel");
        assert_eq!(peers.insert(peer.to_owned(), introduction), None, "{peer} is introduced twice");
    }

    fn check_that_it_is_known(&self, peer: &str, channel: Option<&str>) {
        let is_known = match channel {
            Some(channel) => self.channels.get(channel).is_some_and(|known| known.contains_key(peer)),
            None => self.channels.values().any(|known| known.contains_key(peer)),
        };
        assert!(is_known, "{peer} speaks in {channel:?} without an introduction");
    }

    fn take(&mut self, id: &RequestId) -> (u64, Asked) {
        let RequestId::Number(number) = *id else { panic!("{id:?} was not asked") };
        let asked = self.asked.remove(&number);
        (number, asked.unwrap_or_else(|| panic!("{number} is answered twice, or was not asked")))
    }

    fn answer(&mut self, id: &RequestId, fitting: &[Asked]) -> Answer {
        let (number, asked) = self.take(id);
        assert!(fitting.contains(&asked), "{asked:?} is not answered so");
        (number, true)
    }

    fn confirmed(&mut self, id: &RequestId) -> Answer {
        let (number, asked) = self.take(id);
        let fits = match &asked {
            Asked::Set(channel) | Asked::Say(channel) => self.channels.contains_key(channel),
            Asked::Tell(..) => true,
            Asked::Cancel => {
                self.searches = false;
                true
            }
            Asked::Join(_) | Asked::Part(_) | Asked::Match | Asked::Rubbish => false,
        };
        assert!(fits, "{asked:?} is confirmed");
        (number, true)
    }

    fn error(&mut self, code: ErrorCode, id: Option<&RequestId>, log_is_slow: bool) -> Answer {
        let Some(id) = id else {
            // A binary frame has no id, nor has the part that a `match` has asked for.
            let fits = [ErrorCode::BadMessage, ErrorCode::Unavailable, ErrorCode::Limit].contains(&code);
            assert!(fits, "{code} comes without an id");
            return (0, false);
        };
        let (number, asked) = self.take(id);
        let fits = match (&asked, code) {
            (Asked::Join(channel), ErrorCode::Unauthorized) => channel.starts_with('~'),
            (Asked::Join(_), ErrorCode::ChannelFull) | (Asked::Rubbish, ErrorCode::UnknownType) => true,
            // The others hear of the end of a session when the log has taken back its seats.
            (Asked::Tell(peer, _), ErrorCode::UnknownPeer) => {
                log_is_slow || self.connection_ids(peer).is_empty()
            }
            (Asked::Tell(peer, Some(connection_id)), ErrorCode::StaleConnection) => {
                !self.connection_ids(peer).contains(&connection_id.as_str())
            }
            (Asked::Set(channel) | Asked::Say(channel), ErrorCode::NotJoined) => {
                !self.channels.contains_key(channel)
            }
            (Asked::Tell(..) | Asked::Rubbish, _) => false,
            (_, ErrorCode::Limit | ErrorCode::Unavailable) => true,
            _ => false,
        };
        assert!(fits, "{asked:?} is answered {code}");
        (number, false)
    }
}
