//! Clients that speak another protocol: guests.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use signal_core::{
    ChannelName, ClientMessage, CloseReason, Context, ErrorCode, Grant, PeerId, Place, PoolName,
    ServerMessage,
};

use crate::{Frame, frame::FrameBlock};

/// How clients of another protocol are understood, and what they are told: a translation between their texts and the
/// messages of the hub, which decides.
///
/// A client of a dialect is a *guest*. It does not acknowledge or resume: what is written to it is forgotten, and its session
/// ends with its socket. Heartbeat, bounds and rates are those of all sockets.
///
/// What waits for somebody who is not there yet, and the like, is kept in the dialect. Its methods are called while the whole
/// server waits, so they must be short, and must not call [`Signaling`](crate::Signaling).
pub trait Dialect: fmt::Debug + Send + Sync + 'static {
    /// What the protocol is called: by the policy, in the log, and as the namespace of [its
    /// channels](ChannelName::within). A word without `:`.
    fn name(&self) -> &'static str;

    /// Tells `say` what a text of the client `from` means. It is JSON within the bounds of
    /// [`FrameLimits`](crate::FrameLimits).
    ///
    /// # Errors
    ///
    /// An error of form, if it means nothing. [`Dialect::encode`] gets it for the client, and too many close its socket.
    fn decode(
        &self,
        from: Speaker<'_>,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode>;

    /// Writes what one or several clients are told: once for all of them who speak this dialect.
    fn encode(&self, message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>);

    /// What holds for a guest that joins a channel or waits in a pool, given what the policy says.
    fn grant(&self, place: &Place, granted: Grant) -> Grant {
        let _ = place;
        granted
    }
}

/// A client that says something.
#[derive(Debug)]
pub struct Speaker<'a> {
    /// Its id.
    pub peer: &'a PeerId,
    /// Where it speaks, in a protocol that does not say so each time. The dialect sets it.
    pub channel: &'a mut Option<ChannelName>,
    pub(crate) seats: &'a dyn Seats,
}

impl Speaker<'_> {
    /// The channels in which it has a seat.
    #[must_use]
    pub fn channels(&self) -> Vec<ChannelName> {
        self.seats.of(self.peer)
    }
}

/// Knows where a peer has seats.
pub(crate) trait Seats: fmt::Debug {
    fn of(&self, peer: &PeerId) -> Vec<ChannelName>;
}

/// Where a dialect writes what a client is told.
#[derive(Debug)]
pub struct Texts<'a> {
    block: &'a mut FrameBlock,
    close: Option<CloseReason>,
}

impl Texts<'_> {
    /// Adds a text: what `write` appends.
    pub fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.block.add(write);
    }

    /// Ends the session once the texts are written.
    pub fn close(&mut self, reason: CloseReason) {
        self.close = Some(reason);
    }
}

/// What a dialect has written of one message.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) frames: Vec<Frame>,
    pub(crate) close: Option<CloseReason>,
}

/// What a dialect has for a message that belongs to the socket: one text at most.
pub(crate) fn say(dialect: &dyn Dialect, message: &ServerMessage<'_>) -> Option<Frame> {
    write(dialect, message, Context::default()).frames.pop()
}

/// What a dialect has for a message.
pub(crate) fn write(dialect: &dyn Dialect, message: &ServerMessage<'_>, context: Context<'_>) -> Written {
    let mut block = FrameBlock::default();
    let mut texts = Texts { block: &mut block, close: None };
    dialect.encode(message, context, &mut texts);
    let close = texts.close;
    Written { frames: block.take().collect(), close }
}

/// A guest as it shows itself before it says anything: by the address of its socket, mostly.
#[derive(Debug)]
pub struct Guest {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) id: Option<OwnId>,
    pub(crate) first: Option<Place>,
    pub(crate) refusal: Option<String>,
}

/// The id that a guest wants to have.
#[derive(Debug)]
pub(crate) struct OwnId {
    pub(crate) peer: PeerId,
    /// Who shows the same may take it over.
    pub(crate) secret: Option<Box<str>>,
    /// What the guest is told if somebody else has it.
    pub(crate) taken: Option<String>,
}

impl Guest {
    /// A guest that gets an id of the server, and is in no channel.
    #[must_use]
    pub fn new(dialect: Arc<dyn Dialect>) -> Self {
        Self { dialect, id: None, first: None, refusal: None }
    }

    /// The guest joins this channel, before it says anything.
    #[must_use]
    pub fn joins(mut self, channel: ChannelName) -> Self {
        self.first = Some(Place::Channel(channel));
        self
    }

    /// The guest waits in this pool for others, before it says anything.
    #[must_use]
    pub fn waits(mut self, pool: PoolName) -> Self {
        self.first = Some(Place::Pool(pool));
        self
    }

    /// The guest gets this id, which nobody else has: one that was just made from random bits.
    #[must_use]
    pub fn with_id(mut self, peer: PeerId) -> Self {
        self.id = Some(OwnId { peer, secret: None, taken: None });
        self
    }

    /// The guest has chosen its id. If a guest of the same dialect has it that has shown the same `secret`, that one is
    /// replaced. If somebody else has it, the guest is told `taken`, and its socket is closed.
    #[must_use]
    pub fn named(mut self, peer: PeerId, secret: &str, taken: String) -> Self {
        self.id = Some(OwnId { peer, secret: Some(secret.into()), taken: Some(taken) });
        self
    }

    /// The guest is told `why`, and its socket is closed.
    #[must_use]
    pub fn refused(mut self, why: String) -> Self {
        self.refusal = Some(why);
        self
    }
}

/// What is special about the session of a guest.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) secret: Option<Box<str>>,
    /// See [`Speaker::channel`]. Locked by the task of the socket alone.
    pub(crate) channel: Mutex<Option<ChannelName>>,
}

impl Foreign {
    pub(crate) fn decode(
        &self,
        peer: &PeerId,
        seats: &dyn Seats,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        self.dialect.decode(Speaker { peer, channel: &mut channel, seats }, text, say)
    }
}
