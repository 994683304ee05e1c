//! What can happen to the hub.

use std::time::Duration;

use crate::{
    ChannelName, ChannelSettings, ClientFrame, EndReason, Entry, ErrorCode, Hosting, Payload, PeerId, Place,
    Position, RequestId, SessionId, Token,
};

/// Everything that can happen to the [`Hub`](crate::Hub). It is closed: inputs can be logged, replayed and generated.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client has been let in. `session` must be free, and `peer` must not be live.
    Connected {
        /// Under which number the driver knows it.
        session: SessionId,
        /// The id that others address.
        peer: PeerId,
        /// What the embedder's policy has verified.
        identity: Option<Box<str>>,
        /// Of the channels and pools whose names it alone can use, see [`ChannelName::within`]. It can use those of no
        /// namespace, too.
        namespace: Option<&'static str>,
    },
    /// A frame has come from a client.
    Message {
        /// Whose it is.
        session: SessionId,
        /// What it says.
        frame: ClientFrame<'a>,
    },
    /// A frame has come that the codec refused.
    Malformed {
        /// Whose it is.
        session: SessionId,
        /// What is wrong with it.
        code: ErrorCode,
        /// The request id, if one could be read.
        id: Option<RequestId>,
    },
    /// The answer to [`Output::Authorize`](crate::Output::Authorize): the peer may join, or wait.
    Authorized {
        /// The question.
        token: Token,
        /// On which terms.
        grant: Grant,
    },
    /// The answer to [`Output::Authorize`](crate::Output::Authorize): the peer may not.
    Denied {
        /// The question.
        token: Token,
        /// Usually [`ErrorCode::Unauthorized`].
        code: ErrorCode,
        /// What the peer is told.
        message: &'a str,
    },
    /// The socket is lost. The session waits for another one for the grace time.
    Detached {
        /// Whose it was.
        session: SessionId,
    },
    /// Another socket carries the session on.
    Resumed {
        /// Which one.
        session: SessionId,
    },
    /// The session ends at once.
    Disconnected {
        /// Which one.
        session: SessionId,
        /// What the others are told.
        reason: EndReason,
    },
    /// The embedder takes a peer out of one channel.
    Expelled {
        /// Which one.
        session: SessionId,
        /// From where.
        channel: &'a str,
    },
    /// The embedder says something.
    Published {
        /// To whom.
        to: Target<'a>,
        /// What.
        data: Payload<'a>,
    },
    /// The log has ordered an entry: this machine's or another's.
    Committed {
        /// What it changes.
        place: Place,
        /// Larger than that of any entry before in the same place. A match is the first entry of the channel that it
        /// makes, too, so who follows both applies them in the order of their positions.
        position: Position,
        /// The change.
        entry: Entry,
    },
    /// The log will never commit this append.
    Refused {
        /// Which one.
        token: Token,
    },
    /// The server has started again, and peers may return who had seats before. For [`Limits::returning`] they go
    /// first where there are not seats for all, and the host of a star goes before all who could become it.
    ///
    /// [`Limits::returning`]: crate::Limits::returning
    Restarted,
    /// The time that [`Hub::poll_timeout`](crate::Hub::poll_timeout) named has come.
    Timeout,
}

/// What the policy allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A seat in a channel.
    Join(JoinGrant),
    /// The seat in a channel that the peer has had before the server started again.
    Return {
        /// On which terms.
        grant: JoinGrant,
        /// What the peer was there, as [`Output::Joined`](crate::Output::Joined) has said it.
        standing: Standing,
    },
    /// To wait in a pool.
    Match {
        /// On which terms.
        grant: MatchGrant,
        /// A fresh channel for the case that the peer meets somebody who waits. Nobody can guess its name, and it
        /// begins with `~`.
        room: ChannelName,
    },
}

/// What a peer is in a channel when it joins. It decides who goes first when the server has started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The entry that has given the seat: who came earlier goes earlier.
    pub joined_at: Position,
    /// Whether the join has made it the host of a star.
    pub is_host: bool,
}

impl From<JoinGrant> for Grant {
    fn from(grant: JoinGrant) -> Self {
        Self::Join(grant)
    }
}

/// On which terms a peer may wait for strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchGrant {
    /// What holds in the channels in which strangers of the pool meet, if this peer is the first that waits. The
    /// capacity is how many meet at a time: from 2 to [`Limits::members_per_channel`](crate::Limits), 2 by default.
    /// [`Topology::Unlisted`](crate::Topology) is taken as a mesh: strangers know no ids by which to address each other.
    pub settings: ChannelSettings,
    /// How long the peer waits at most, 5 min by default and never more than a day. Then it is told `timeout`, and may
    /// ask again.
    pub patience: Duration,
}

impl Default for MatchGrant {
    fn default() -> Self {
        Self {
            settings: ChannelSettings { capacity: 2, ..ChannelSettings::default() },
            patience: Duration::from_secs(5 * 60),
        }
    }
}

/// On which terms a peer may join a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinGrant {
    /// What holds in the channel if this join creates it.
    pub settings: ChannelSettings,
    /// Whether the peer may be the host, should the channel be a star.
    pub hosting: Hosting,
}

/// Whom the embedder speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// One session.
    Session(SessionId),
    /// All members of a channel on this machine.
    Channel(&'a str),
}
