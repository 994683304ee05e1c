//! The state of one channel: a pure function of its log.

use serde::{Deserialize, Serialize};

use crate::{
    ChannelSettings, ChannelSnapshot, EndReason, Entry, OwnedPayload, PeerId, Position, SnapshotVersion,
    payload::present,
};

/// The members of a channel and what holds among them.
///
/// Every machine that follows the channel's log has the same `Channel` at the same position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    settings: ChannelSettings,
    members: Vec<Member>,
    position: Position,
}

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
}

/// What an entry has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The peer is the last member now.
    Joined,
    /// There was no seat for it.
    Full,
    /// This member is gone.
    Parted(Member, EndReason),
    /// The member at this index has new userdata.
    Updated(usize),
    /// The entry had been applied before, or is about somebody who is not a member.
    Nothing,
}

impl Channel {
    /// The state that `snapshot` describes.
    #[must_use]
    pub fn from_snapshot(snapshot: ChannelSnapshot) -> Self {
        Self { settings: snapshot.settings, members: snapshot.members, position: snapshot.position }
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
            Entry::Join { peer, identity, userdata, settings } => match (self.index_of(&peer), userdata) {
                (Some(_), None) => Change::Nothing,
                (Some(index), Some(userdata)) => self.update(index, userdata),
                (None, userdata) => {
                    self.seat(settings, Member { peer, joined_at: position, identity, userdata })
                }
            },
            Entry::Part { peer, reason } => match self.index_of(&peer) {
                Some(index) => Change::Parted(self.members.remove(index), reason),
                None => Change::Nothing,
            },
            Entry::Update { peer, userdata } => match self.index_of(&peer) {
                Some(index) => self.update(index, userdata),
                None => Change::Nothing,
            },
        }
    }

    fn seat(&mut self, settings: ChannelSettings, member: Member) -> Change {
        if self.members.is_empty() {
            self.settings = settings;
        }
        if self.members.len() >= self.settings.capacity as usize {
            return Change::Full;
        }
        self.members.push(member);
        Change::Joined
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

    fn index_of(&self, peer: &PeerId) -> Option<usize> {
        self.members.iter().position(|member| member.peer == *peer)
    }
}
