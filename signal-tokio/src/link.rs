//! What ties a session to its socket: the outbox, and how the socket's task is woken.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    task::{Context, Waker},
    time::{Duration, Instant},
};

use signal_core::{CloseReason, ImpossibleAck, Outbox, PeerId, ServerMessage, SessionId};
use subtle::ConstantTimeEq;

use crate::{
    Admission, Dialect, Frame,
    dialect::{self, Foreign},
    handshake::encode,
    pen::{Ink, Pen},
    policy::Data,
    rate::Budget,
    tokens::Ticket,
};

/// Shared by whoever has something for a session and by the task of its socket. Locked for moments only, and when
/// the driver's state is locked too, after it.
#[derive(Debug)]
pub(crate) struct Link {
    /// The number of the session. It may belong to another one as soon as this one has ended, see [`State::has`].
    ///
    /// [`State::has`]: crate::driver::State::has
    pub(crate) session: SessionId,
    pub(crate) peer: PeerId,
    pub(crate) identity: Option<Box<str>>,
    /// If the client speaks another protocol.
    pub(crate) foreign: Option<Box<Foreign>>,
    /// Whether so much of the client waits to be decided that its socket is not read. Set while the driver's state is locked.
    pub(crate) held: AtomicBool,
    state: Mutex<LinkState>,
}

#[derive(Debug)]
pub(crate) struct LinkState {
    pub(crate) outbox: Outbox<Frame>,
    /// Whether the client acknowledges nothing: what is written is not kept.
    forgets: bool,
    /// What the client may still send.
    pub(crate) budget: Budget,
    /// How many counted frames the client had received when it resumed last, and how often it has come back in a row with
    /// no more than that.
    pub(crate) resumed_at: u64,
    pub(crate) futile: u32,
    /// How many counted frames of the client have arrived in this session.
    pub(crate) received: u64,
    /// Which socket carries the session, counted from 1. A task with another number has been replaced.
    pub(crate) socket: u64,
    /// Whether that socket is there.
    pub(crate) attached: bool,
    pub(crate) close: Option<CloseReason>,
    pub(crate) closing: Option<Duration>,
    /// Which resume token the last `welcome` has brought, and by which one the client came as long as it has not shown
    /// that it knows the newest.
    pub(crate) ticket: Ticket,
    pub(crate) previous_ticket: Option<Ticket>,
    /// When it gets the next TURN credentials, if it is in a channel then. Nothing: with its next join.
    pub(crate) turn_due: Option<Instant>,
    /// What the policy wants to know about the client later.
    pub(crate) data: Data,
    /// Where the socket comes from, if that is known.
    pub(crate) address: Option<IpAddr>,
    /// Who writes to that socket.
    pub(crate) pen: Pen,
    /// What another task could not write in full, and how many bytes of it are written.
    pub(crate) rest: Option<(Frame, usize)>,
    waker: Option<Waker>,
}

impl Link {
    pub(crate) fn new(
        session: SessionId,
        peer: PeerId,
        ticket: Ticket,
        Admission { identity, data }: Admission,
        outbox: Outbox<Frame>,
        budget: Budget,
        foreign: Option<Foreign>,
    ) -> Self {
        let state = LinkState {
            outbox,
            forgets: foreign.is_some(),
            budget,
            resumed_at: 0,
            futile: 0,
            received: 0,
            socket: 0,
            attached: false,
            close: None,
            closing: None,
            ticket,
            previous_ticket: None,
            turn_due: None,
            data,
            address: None,
            pen: Pen::Kept,
            rest: None,
            waker: None,
        };
        let (foreign, held) = (foreign.map(Box::new), AtomicBool::new(false));
        Self { session, peer, identity, foreign, held, state: Mutex::new(state) }
    }

    /// Whether it belongs to a guest of this dialect that has shown this secret.
    pub(crate) fn is_of_guest(&self, dialect: &Arc<dyn Dialect>, secret: Option<&str>) -> bool {
        self.foreign.as_ref().is_some_and(|foreign| {
            let shown = foreign.secret.as_deref().zip(secret);
            let is_same = shown.is_some_and(|(own, shown)| own.as_bytes().ct_eq(shown.as_bytes()).into());
            is_same && Arc::ptr_eq(&foreign.dialect, dialect)
        })
    }

    /// A message that belongs to the socket, in the words of the client, if it has words for it.
    pub(crate) fn say(&self, message: &ServerMessage<'_>) -> Option<Frame> {
        match self.dialect() {
            Some(dialect) => dialect::say(&**dialect, message),
            None => Some(encode(message)),
        }
    }

    /// What the client speaks, if it is a guest.
    pub(crate) fn dialect(&self) -> Option<&Arc<dyn Dialect>> {
        self.foreign.as_ref().map(|foreign| &foreign.dialect)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, LinkState> {
        // A panic while it was held would be a bug of ours; what it guards is consistent between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next frame for socket number `socket`.
    pub(crate) fn next_frame(&self, socket: u64) -> Option<Frame> {
        let mut state = self.lock();
        if state.socket != socket {
            return None;
        }
        state.write_next()
    }

    /// The client has sent something over socket number `socket`. If that is its newest, it knows the token that it was
    /// given there.
    pub(crate) fn forget_previous_ticket(&self, socket: u64) {
        let mut state = self.lock();
        if state.socket == socket {
            state.previous_ticket = None;
        }
    }

    pub(crate) fn acknowledge(&self, received: u64) -> Result<(), ImpossibleAck> {
        self.lock().outbox.acknowledge(received)
    }
}

impl LinkState {
    /// The next frame for the socket.
    pub(crate) fn write_next(&mut self) -> Option<Frame> {
        let frame = self.outbox.write_next().cloned();
        if self.forgets {
            let written = self.outbox.written();
            self.outbox.acknowledge(written).expect("it is written");
        }
        frame
    }

    /// Whether a token with this ticket is valid. As long as the client has not shown that it knows the newest, it may
    /// have any since the one by which it came: a socket that it has given up may have been overtaken by the next.
    pub(crate) fn knows(&self, ticket: Ticket) -> bool {
        let Some(previous) = self.previous_ticket else { return self.ticket == ticket };
        let is_of_this = (ticket.epoch, ticket.session) == (self.ticket.epoch, self.ticket.session);
        let is_given = is_of_this && ticket.counter <= self.ticket.counter;
        let is_older = previous.epoch == ticket.epoch && ticket.counter < previous.counter;
        previous == ticket || (is_given && !is_older)
    }

    /// The client comes back with this ticket, and has received so many frames. How often in a row it has done so without
    /// receiving any of those that were sent to it.
    ///
    /// # Errors
    ///
    /// As [`Outbox::resume`].
    pub(crate) fn resume(&mut self, ticket: Ticket, received: u64) -> Result<u32, ImpossibleAck> {
        let was_sent_more = self.outbox.written() > received;
        self.outbox.resume(received)?;
        if received > self.resumed_at || self.outbox.is_empty() {
            self.futile = 0;
        } else if was_sent_more && ticket == self.ticket {
            // With an older ticket it would not even have received the `welcome`, which comes first.
            self.futile += 1;
        }
        self.resumed_at = received;
        Ok(self.futile)
    }

    /// From now on this task is woken when something has changed.
    pub(crate) fn watch(&mut self, context: &Context<'_>) {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.waker = Some(context.waker().clone());
        }
    }

    /// Lets another task write, if all that was begun is written.
    pub(crate) fn lend(&mut self) -> Option<Ink> {
        if self.rest.is_some() {
            return None;
        }
        self.pen.take(Pen::Lent { is_awaited: false })
    }

    /// Another task has written what it could. The task to wake, if there is something left to write.
    pub(crate) fn give_back(&mut self, ink: Ink) -> Option<Waker> {
        let Pen::Lent { is_awaited } = self.pen else { return None };
        self.pen = Pen::Free(ink);
        if is_awaited || self.rest.is_some() || self.outbox.has_unwritten() { self.wake() } else { None }
    }

    /// Another socket carries the session from now on.
    pub(crate) fn attach(&mut self) {
        self.socket += 1;
        self.attached = true;
        self.forget_pen();
    }

    /// There is no socket that anybody could write to but its own task: what stands here about another is of no use any more.
    pub(crate) fn forget_pen(&mut self) {
        self.pen = Pen::Kept;
        self.rest = None;
    }

    /// The task to wake when something has changed.
    pub(crate) fn wake(&mut self) -> Option<Waker> {
        self.waker.take()
    }
}
