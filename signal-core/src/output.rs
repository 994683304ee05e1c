//! What the hub wants done.

use std::slice;

use crate::{
    Channel, ChannelName, ChannelSettings, CloseReason, EndReason, Entry, Member, Payload, PeerId, Place,
    ServerMessage, SessionId, Standing, Token,
};

/// What the hub wants done. Borrows from the hub and from the input, so it must be used before `emit` returns.
#[derive(Debug)]
pub enum Output<'a> {
    /// Encode `message` once and queue it for each of `to`.
    Send {
        /// Who gets it.
        to: Recipients<'a>,
        /// What they get.
        message: ServerMessage<'a>,
        /// What the hub knows besides. It has no form on the wire.
        context: Context<'a>,
    },
    /// Write `entry` into the log of `place`, and answer with
    /// [`Input::Committed`](crate::Input::Committed) or [`Input::Refused`](crate::Input::Refused).
    Append {
        /// Names this append in a refusal.
        token: Token,
        /// Whose log.
        place: Place,
        /// The change.
        entry: Entry,
    },
    /// Ask the policy whether the peer may join a channel or wait in a pool, and answer with
    /// [`Input::Authorized`](crate::Input::Authorized) or [`Input::Denied`](crate::Input::Denied).
    Authorize {
        /// Names the question.
        token: Token,
        /// Which one.
        place: &'a Place,
        /// What the peer says about itself.
        userdata: Option<Payload<'a>>,
        /// What proves that it has had a seat in this channel before the server started again. Whether it does is for
        /// the driver to say, with [`Grant::Return`](crate::Grant::Return).
        seat: Option<&'a str>,
    },
    /// Do not read from the session's socket.
    Hold {
        /// Which one.
        session: SessionId,
    },
    /// Read on.
    Release {
        /// Which one.
        session: SessionId,
    },
    /// Close the session's socket. If the session ends with it, [`Output::Ended`] says so.
    Close {
        /// Which one.
        session: SessionId,
        /// Which close code.
        reason: CloseReason,
    },
    /// A peer of this machine has a seat now. For the embedder; it comes before the peer itself is told.
    Joined {
        /// Its session.
        session: SessionId,
        /// Where.
        channel: &'a ChannelName,
        /// What holds there.
        settings: &'a ChannelSettings,
        /// What it is there, to be kept for [`Grant::Return`](crate::Grant::Return).
        standing: Standing,
    },
    /// A peer of this machine has lost its seat. For the embedder.
    Parted {
        /// Its session.
        session: SessionId,
        /// Where.
        channel: &'a ChannelName,
        /// Why.
        reason: EndReason,
    },
    /// Nothing is left of the session; its number may be used again.
    Ended {
        /// Which one.
        session: SessionId,
        /// The id that is free now.
        peer: &'a PeerId,
        /// Why.
        reason: EndReason,
    },
}

/// What the hub knows beside a message: for those who say it in another protocol, which may have to say more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The channel that it is about, as it is now: for an introduction, an app message to all, and the answer to a join.
    pub channel: Option<&'a Channel>,
    /// The member of a `removePeer`, as it was.
    pub gone: Option<&'a Member>,
    /// The app message that an `error` is about, as its peer is not there.
    pub undelivered: Option<Payload<'a>>,
}

impl<'a> Context<'a> {
    pub(crate) fn of(channel: &'a Channel) -> Self {
        Self { channel: Some(channel), ..Self::default() }
    }
}

impl<'a> Output<'a> {
    /// A message that says all there is to say.
    pub(crate) fn send(to: Recipients<'a>, message: ServerMessage<'a>) -> Self {
        Self::Send { to, message, context: Context::default() }
    }
}

/// The sessions on this machine that get one message, in join order.
#[derive(Clone, Copy, Debug)]
pub struct Recipients<'a> {
    sessions: &'a [SessionId],
    except: Option<SessionId>,
}

impl<'a> Recipients<'a> {
    pub(crate) fn one(session: &'a SessionId) -> Self {
        Self { sessions: slice::from_ref(session), except: None }
    }

    pub(crate) fn optional(session: &'a Option<SessionId>) -> Self {
        Self { sessions: session.as_slice(), except: None }
    }

    pub(crate) fn all(sessions: &'a [SessionId]) -> Self {
        Self { sessions, except: None }
    }

    pub(crate) fn others(sessions: &'a [SessionId], except: SessionId) -> Self {
        Self { sessions, except: Some(except) }
    }

    /// Goes through the recipients.
    pub fn iter(self) -> impl Iterator<Item = SessionId> + 'a {
        self.sessions.iter().copied().filter(move |session| Some(*session) != self.except)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}
