//! What is written into the log of a channel or a pool: the only things that change them.

use std::fmt;

use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    ChannelName, EndReason, Host, Member, OwnedPayload, PeerId, PoolName, Position, payload::present,
};

/// What has a log of its own: whatever changes it is decided there, in one order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A group of peers.
    Channel(ChannelName),
    /// Strangers who wait for each other.
    Pool(PoolName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(name) => write!(f, "channel {name}"),
            Self::Pool(name) => write!(f, "pool {name}"),
        }
    }
}

/// One change of a channel or of a pool.
///
/// Each kind carries its version in its serialised name, so that a machine refuses what it does not understand
/// instead of guessing. A field may be added with a default; anything else is a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A peer asks for a seat. Without effect when there is none, or when the peer has one.
    #[serde(rename = "join.1")]
    Join {
        /// Who joins.
        peer: PeerId,
        /// What the embedder's policy has verified about it.
        identity: Option<Box<str>>,
        /// What the peer says about itself.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        userdata: Option<OwnedPayload>,
        /// The settings of the channel, if this join creates it.
        settings: ChannelSettings,
        /// Whether the peer may be the host of a star.
        #[serde(default)]
        hosting: Hosting,
    },
    /// A peer gives up its seat.
    #[serde(rename = "part.1")]
    Part {
        /// Who leaves.
        peer: PeerId,
        /// Why.
        reason: EndReason,
    },
    /// A member, or a stranger who waits, replaces its userdata.
    #[serde(rename = "update.1")]
    Update {
        /// Whose it is.
        peer: PeerId,
        /// The new value.
        userdata: OwnedPayload,
    },
    /// In a pool: a peer waits for a stranger, or meets one who waits. Without effect when it waits already.
    #[serde(rename = "match.1")]
    Match {
        /// Who waits.
        peer: PeerId,
        /// What the embedder's policy has verified about it.
        identity: Option<Box<str>>,
        /// What the peer says about itself.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        userdata: Option<OwnedPayload>,
        /// Whom it does not want to meet: those whom it has met last.
        avoid: Vec<PeerId>,
        /// A fresh channel, for the case that this entry completes a match.
        room: ChannelName,
        /// The settings of the channels in which strangers of this pool meet, if this entry creates the pool. The
        /// capacity is how many meet at a time.
        settings: ChannelSettings,
    },
    /// In a pool: a peer that waits would meet anybody from now on.
    #[serde(rename = "widen.1")]
    Widen {
        /// Who waits.
        peer: PeerId,
    },
    /// In a pool: a peer waits no longer.
    #[serde(rename = "cancel.1")]
    Cancel {
        /// Who has waited.
        peer: PeerId,
    },
}

impl Entry {
    /// The peer that the entry is about.
    #[must_use]
    pub fn peer(&self) -> &PeerId {
        match self {
            Self::Join { peer, .. }
            | Self::Part { peer, .. }
            | Self::Update { peer, .. }
            | Self::Match { peer, .. }
            | Self::Widen { peer }
            | Self::Cancel { peer } => peer,
        }
    }
}

/// What holds for a channel from the join that creates it until it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// How many members fit. The default leaves it to [`Limits::members_per_channel`](crate::Limits), or where nobody is
    /// introduced to [`Limits::members_unlisted`](crate::Limits).
    pub capacity: u32,
    /// Which side of an introduction makes the first offer.
    pub first_offer: FirstOffer,
    /// Who is introduced to whom.
    pub topology: Topology,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self { capacity: u32::MAX, first_offer: FirstOffer::default(), topology: Topology::default() }
    }
}

/// Which side of an introduction is the offerer (RFC 9429, section 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstOffer {
    /// The one who comes offers to those who are there.
    #[default]
    Newcomer,
    /// Those who are there offer to the one who comes.
    Resident,
}

/// Who is introduced to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// All members are introduced to each other.
    #[default]
    Mesh,
    /// Members are introduced to the host only. When it leaves, the longest-standing member that may be host follows.
    Star,
    /// Nobody is introduced; members that know each other's id may address each other.
    Unlisted,
}

/// Whether a member may be the host of a star. It belongs to the peer, not to the channel; see
/// [`JoinGrant`](crate::JoinGrant).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hosting {
    /// It is the host when there is no other, and follows the host in the order of joins.
    #[default]
    Candidate,
    /// It is introduced to hosts, and never is one.
    Never,
}

/// The whole state of a channel at one position. Restoring it and replaying what follows equals replaying all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSnapshot {
    /// The version of this format.
    pub version: SnapshotVersion,
    /// The last entry that went into it.
    pub position: Position,
    /// The settings that hold.
    pub settings: ChannelSettings,
    /// The members in join order.
    pub members: Vec<Member>,
    /// The host of a star.
    #[serde(default)]
    pub host: Option<Host>,
}

/// The version of snapshots, the number 1. Reading any other number is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotVersion;

impl Serialize for SnapshotVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

impl<'de> Deserialize<'de> for SnapshotVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            1 => Ok(Self),
            other => Err(D::Error::custom(format_args!("version {other} of a snapshot is not known"))),
        }
    }
}
