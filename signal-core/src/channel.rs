//! The state of one channel: a pure function of its log.

use serde::{Deserialize, Serialize};

use crate::{
    ChannelSettings, ChannelSnapshot, EndReason, Entry, Hosting, OwnedPayload, PeerId, Position,
    SnapshotVersion, Ticket, Topology, payload::present,
};

/// The members of a channel and what holds among them.
///
/// Every machine that follows the channel's log has the same `Channel` at the same position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    settings: ChannelSettings,
    members: Vec<Member>,
    host: Option<Host>,
    position: Position,
}

/// Up to so many members there is no storage for more than are there: most channels are of two, and there are many.
const SMALL: usize = 4;

/// One seat in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Whose seat it is.
    pub peer: PeerId,
    /// The entry that gave it.
    pub joined_at: Position,
    /// What the embedder's policy has verified about the peer.
    pub identity: Option<Box<str>>,
    /// What the peer says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub userdata: Option<OwnedPayload>,
    /// Whether it may be the host of a star.
    #[serde(default)]
    pub hosting: Hosting,
}

/// To whom all others are introduced in a star.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Who it is.
    pub peer: PeerId,
    /// The entry that has made it the host: its join, or the part of the host before.
    pub since: Position,
}

/// What lets two members speak to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    /// An introduction by this entry.
    Introduced(Position),
    /// They are in an unlisted channel, and know each other from elsewhere.
    Unlisted,
}

/// An introduction as one of the two sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    /// The entry that has made it.
    pub(crate) position: Position,
    /// Who was there, and who came.
    pub(crate) own: Arrival,
}

/// Which side of an introduction somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The one who was there.
    Resident,
    /// The one who came, or who became the host.
    Newcomer,
}

/// What an entry has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The peer is the last member now.
    Joined,
    /// There was no seat for it.
    Full,
    /// This member is gone.
    Parted(Departure),
    /// The member at this index has new userdata.
    Updated(usize),
    /// The entry had been applied before, or is about somebody who is not a member.
    Nothing,
}

/// A member that is gone, and what it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    pub(crate) member: Member,
    pub(crate) reason: EndReason,
    pub(crate) was_host: bool,
}

impl Channel {
    /// The state that `snapshot` describes.
    #[must_use]
    pub fn from_snapshot(snapshot: ChannelSnapshot) -> Self {
        let ChannelSnapshot { version: _, position, settings, members, host } = snapshot;
        Self { settings, members, host, position }
    }

    /// A channel in which strangers meet: all are seated by the one entry that has completed the match.
    pub(crate) fn of_match(position: Position, settings: ChannelSettings, strangers: Vec<Ticket>) -> Self {
        let seat = |Ticket { peer, identity, userdata, .. }| Member {
            peer,
            joined_at: position,
            identity,
            userdata,
            hosting: Hosting::Candidate,
        };
        let members = strangers.into_iter().map(seat).collect();
        let mut channel = Self { settings, members, host: None, position };
        channel.appoint_host();
        channel
    }

    /// Applies one entry and tells whether it changed anything.
    pub fn replay(&mut self, position: Position, entry: Entry) -> bool {
        !matches!(self.apply(position, entry), Change::Full | Change::Nothing)
    }

    pub(crate) fn apply(&mut self, position: Position, entry: Entry) -> Change {
        if position <= self.position {
            return Change::Nothing;
        }
        self.position = position;
        match entry {
            Entry::Join { peer, identity, userdata, settings, hosting } => {
                match (self.index_of(&peer), userdata) {
                    (Some(_), None) => Change::Nothing,
                    (Some(index), Some(userdata)) => self.update(index, userdata),
                    (None, userdata) => {
                        let joined_at = position;
                        self.seat(settings, Member { peer, joined_at, identity, userdata, hosting })
                    }
                }
            }
            Entry::Part { peer, reason } => match self.index_of(&peer) {
                Some(index) => Change::Parted(self.unseat(index, reason)),
                None => Change::Nothing,
            },
            Entry::Update { peer, userdata } => match self.index_of(&peer) {
                Some(index) => self.update(index, userdata),
                None => Change::Nothing,
            },
            // Of a pool.
            Entry::Match { .. } | Entry::Widen { .. } | Entry::Cancel { .. } => Change::Nothing,
        }
    }

    fn seat(&mut self, settings: ChannelSettings, member: Member) -> Change {
        if self.members.is_empty() {
            self.settings = settings;
        }
        if self.members.len() >= self.settings.capacity as usize {
            return Change::Full;
        }
        if self.members.len() < SMALL {
            self.members.reserve_exact(1);
        }
        self.members.push(member);
        self.appoint_host();
        Change::Joined
    }

    fn unseat(&mut self, index: usize, reason: EndReason) -> Departure {
        let member = self.members.remove(index);
        let was_host = self.host.take_if(|host| host.peer == member.peer).is_some();
        self.appoint_host();
        Departure { member, reason, was_host }
    }

    /// In a star without a host, the longest-standing member that may be becomes it by the entry of this position.
    fn appoint_host(&mut self) {
        if self.settings.topology == Topology::Star && self.host.is_none() {
            let next = self.members.iter().find(|member| member.hosting == Hosting::Candidate);
            self.host = next.map(|member| Host { peer: member.peer.clone(), since: self.position });
        }
    }

    fn update(&mut self, index: usize, userdata: OwnedPayload) -> Change {
        self.members[index].userdata = Some(userdata);
        Change::Updated(index)
    }

    /// The whole state, to be kept or sent elsewhere.
    #[must_use]
    pub fn snapshot(&self) -> ChannelSnapshot {
        ChannelSnapshot {
            version: SnapshotVersion,
            position: self.position,
            settings: self.settings,
            members: self.members.clone(),
            host: self.host.clone(),
        }
    }

    /// The members in join order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The seat of one peer.
    #[must_use]
    pub fn member(&self, peer: &PeerId) -> Option<&Member> {
        self.members.iter().find(|member| member.peer == *peer)
    }

    /// What the creating join has set.
    #[must_use]
    pub fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    /// The host, in a star that has one.
    #[must_use]
    pub fn host(&self) -> Option<&PeerId> {
        self.host.as_ref().map(|host| &host.peer)
    }

    /// What lets two members speak to each other, given where in the log they have joined.
    pub(crate) fn tie(&self, one: (&PeerId, Position), other: (&PeerId, Position)) -> Option<Tie> {
        let joined = one.1.max(other.1);
        match (self.settings.topology, &self.host) {
            (Topology::Unlisted, _) => Some(Tie::Unlisted),
            (Topology::Mesh, _) => Some(Tie::Introduced(joined)),
            (Topology::Star, Some(host)) if host.peer == *one.0 || host.peer == *other.0 => {
                Some(Tie::Introduced(joined.max(host.since)))
            }
            (Topology::Star, _) => None,
        }
    }

    /// The introduction of two members, by their places in the join order.
    pub(crate) fn introduction(&self, own: usize, other: usize) -> Option<Introduction> {
        if own == other {
            return None;
        }
        let (one, two) = (self.members.get(own)?, self.members.get(other)?);
        let tie = self.tie((&one.peer, one.joined_at), (&two.peer, two.joined_at))?;
        let Tie::Introduced(position) = tie else { return None };
        let is_newcomer = if position > one.joined_at.max(two.joined_at) {
            // Whoever is there when a member becomes the host is a resident to it, however late it has come.
            self.host() == Some(&one.peer)
        } else {
            own > other
        };
        let own = if is_newcomer { Arrival::Newcomer } else { Arrival::Resident };
        Some(Introduction { position, own })
    }

    pub(crate) fn index_of(&self, peer: &PeerId) -> Option<usize> {
        self.members.iter().position(|member| member.peer == *peer)
    }
}
