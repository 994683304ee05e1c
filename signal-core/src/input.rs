//! What can happen to the hub.

use crate::{
    ChannelName, ChannelSettings, ClientFrame, EndReason, Entry, ErrorCode, Hosting, Payload, PeerId,
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
    /// The answer to [`Output::Authorize`](crate::Output::Authorize): the peer may join.
    Authorized {
        /// The question.
        token: Token,
        /// On which terms.
        grant: JoinGrant,
    },
    /// The answer to [`Output::Authorize`](crate::Output::Authorize): the peer may not join.
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
        /// The channel that it changes.
        channel: ChannelName,
        /// Larger than that of any entry of the channel before.
        position: Position,
        /// The change.
        entry: Entry,
    },
    /// The log will never commit this append.
    Refused {
        /// Which one.
        token: Token,
    },
    /// The time that [`Hub::poll_timeout`](crate::Hub::poll_timeout) named has come.
    Timeout,
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
