//! Strangers who wait for each other: a pure function of the pool's log.

use serde::{Deserialize, Serialize};

use crate::{
    ChannelName, ChannelSettings, Entry, OwnedPayload, PeerId, Position, SnapshotVersion, payload::present,
};

/// The strangers who wait in one pool, those who have waited longest first.
///
/// Whoever may meet is brought together at once, so that at any time no two who wait may meet, or no three where three
/// meet at a time. Where more do, one who avoids others may stand in their way until it takes anybody. Every machine
/// that follows the pool's log brings the same together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    settings: ChannelSettings,
    tickets: Vec<Ticket>,
    position: Position,
}

/// One stranger who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Who waits.
    pub peer: PeerId,
    /// The entry since which it waits.
    pub since: Position,
    /// What the embedder's policy has verified about the peer.
    pub identity: Option<Box<str>>,
    /// What the peer says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub userdata: Option<OwnedPayload>,
    /// Whom it does not want to meet again yet.
    pub avoid: Vec<PeerId>,
    /// The channel in which they meet if this is the ticket that completes a match.
    pub room: ChannelName,
}

/// Strangers who meet, those who have waited longest first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) room: ChannelName,
    pub(crate) settings: ChannelSettings,
    pub(crate) strangers: Vec<Ticket>,
}

/// The whole state of a pool at one position. Restoring it and replaying what follows equals replaying all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSnapshot {
    /// The version of this format.
    pub version: SnapshotVersion,
    /// The last entry that went into it.
    pub position: Position,
    /// The settings of the channels in which strangers meet.
    pub settings: ChannelSettings,
    /// Who waits.
    pub tickets: Vec<Ticket>,
}

impl Pool {
    /// The state that `snapshot` describes.
    #[must_use]
    pub fn from_snapshot(snapshot: PoolSnapshot) -> Self {
        let PoolSnapshot { version: _, position, settings, tickets } = snapshot;
        Self { settings, tickets, position }
    }

    /// Applies one entry and returns the channel in which strangers meet by it, if any do.
    pub fn replay(&mut self, position: Position, entry: Entry) -> Option<ChannelName> {
        self.apply(position, entry).map(|found| found.room)
    }

    pub(crate) fn apply(&mut self, position: Position, entry: Entry) -> Option<Match> {
        if position <= self.position {
            return None;
        }
        self.position = position;
        match entry {
            Entry::Match { peer, identity, userdata, avoid, room, settings } => {
                if self.index_of(&peer).is_some() {
                    return None;
                }
                if self.tickets.is_empty() {
                    self.settings = settings;
                }
                self.tickets.push(Ticket { peer, since: position, identity, userdata, avoid, room });
                self.bring_together(self.tickets.len() - 1)
            }
            Entry::Update { peer, userdata } => {
                let index = self.index_of(&peer)?;
                self.tickets[index].userdata = Some(userdata);
                None
            }
            Entry::Widen { peer } => {
                let index = self.index_of(&peer)?;
                self.tickets[index].avoid.clear();
                self.bring_together(index)
            }
            Entry::Cancel { peer } => {
                self.tickets.retain(|ticket| ticket.peer != peer);
                None
            }
            // Of a channel.
            Entry::Join { .. } | Entry::Part { .. } => None,
        }
    }

    /// Looks for company for one ticket among the others, the longest-waiting first. Before it came, or its wishes
    /// changed, nobody had found any, so nobody can find some now without it.
    fn bring_together(&mut self, index: usize) -> Option<Match> {
        if self.tickets.len() < self.settings.capacity as usize {
            return None;
        }
        // Of more than two, one may stand in the way of those behind: then it is tried without.
        let mut chosen = (0..self.tickets.len()).find_map(|first| self.company(index, first))?;
        let room = self.tickets[index].room.clone();
        chosen.sort_unstable();
        let mut place = 0..;
        let is_chosen =
            |_: &mut Ticket| place.next().is_some_and(|place| chosen.binary_search(&place).is_ok());
        let strangers = self.tickets.extract_if(.., is_chosen).collect();
        Some(Match { room, settings: self.settings, strangers })
    }

    /// The ticket at `index` and the longest-waiting ones from `first` on who may all meet, if they are enough.
    fn company(&self, index: usize, first: usize) -> Option<Vec<usize>> {
        let wanted = self.settings.capacity as usize;
        let mut chosen = vec![index];
        for other in first..self.tickets.len() {
            let may_meet = |one: &usize| self.tickets[*one].may_meet(&self.tickets[other]);
            if chosen.len() < wanted && chosen.iter().all(may_meet) {
                chosen.push(other);
            }
        }
        (chosen.len() == wanted).then_some(chosen)
    }

    /// The whole state, to be kept or sent elsewhere.
    #[must_use]
    pub fn snapshot(&self) -> PoolSnapshot {
        PoolSnapshot {
            version: SnapshotVersion,
            position: self.position,
            settings: self.settings,
            tickets: self.tickets.clone(),
        }
    }

    /// Who waits, those who have waited longest first.
    #[must_use]
    pub fn tickets(&self) -> &[Ticket] {
        &self.tickets
    }

    /// The ticket of one peer.
    #[must_use]
    pub fn ticket(&self, peer: &PeerId) -> Option<&Ticket> {
        self.index_of(peer).map(|index| &self.tickets[index])
    }

    /// The settings of the channels in which strangers meet; their capacity is how many meet at a time.
    #[must_use]
    pub fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    fn index_of(&self, peer: &PeerId) -> Option<usize> {
        self.tickets.iter().position(|ticket| ticket.peer == *peer)
    }
}

impl Ticket {
    fn may_meet(&self, other: &Self) -> bool {
        self.peer != other.peer && !self.avoid.contains(&other.peer) && !other.avoid.contains(&self.peer)
    }
}
