//! What is said over one socket: what its messages mean, what is answered and acknowledged, and when what is due.

mod guest;
#[cfg(test)]
mod tests;

use std::{
    io, mem,
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
};

use signal_core::{ACK_EVERY, ClientMessage, CloseReason, EndReason, ErrorCode, Input, ServerMessage, codec};
use tokio::time::Instant;

use crate::{
    Frame, Ink, Outgoing, Received,
    driver::{Shared, finish},
    handshake::Attached,
    link::LinkState,
    pen::Pen,
    rate::{Cost, Pace},
};

/// What a ping or pong of WebSocket is charged as.
const LIFE_SIGN: usize = 8;

/// The session's side of a socket, for as long as that is there.
pub(crate) struct Conversation {
    pub(crate) shared: Arc<Shared>,
    attached: Attached,
    /// Whether this task may write, and what others need to do so meanwhile.
    has_pen: bool,
    ink: Option<Ink>,
    /// What another task could not write in full, and how many bytes of it are written.
    rest: Option<(Frame, usize)>,
    /// What has arrived and is not charged yet.
    owed: Cost,
    /// Until when the socket is not read, as it has used up its budget.
    paused_until: Option<Instant>,
    /// Since when the client takes nothing of what is sent, and whether it has taken something since it was looked at last.
    blocked_since: Option<Instant>,
    takes: bool,
    /// Counted frames that have arrived, and how many of them are not acknowledged.
    received: u64,
    unacknowledged: u64,
    acknowledge_at: Option<Instant>,
    last_heard: Instant,
    pinged_at: Option<Instant>,
    /// Whether the socket was read when it was looked at last.
    listened: bool,
    turn_due: Option<Instant>,
    token_is_known: bool,
    /// What is to be said by this task alone, or by the socket itself.
    acknowledges: bool,
    pongs: bool,
    socket_answers: bool,
    pings: bool,
    parting: Parting,
    /// Why it is over, once it is.
    ending: Option<Ending>,
}

/// Whether the server goes down, and has said so.
enum Parting {
    No,
    /// Other protocols may have no word for it.
    Says(Option<Frame>),
    Said,
}

/// Why the socket is closed.
pub(crate) enum Ending {
    /// The socket is of no use any more; the session waits for another.
    Lost(Option<CloseReason>),
    /// The session has ended or is carried elsewhere.
    Over(CloseReason),
}

impl From<io::Error> for Ending {
    fn from(_: io::Error) -> Self {
        Self::Lost(None)
    }
}

impl Conversation {
    pub(crate) fn new(shared: Arc<Shared>, attached: Attached, ink: Option<Ink>) -> Self {
        Self {
            shared,
            attached,
            has_pen: true,
            ink,
            rest: None,
            // `hello`.
            owed: Cost::message(0),
            paused_until: None,
            blocked_since: None,
            takes: false,
            received: 0,
            unacknowledged: 0,
            acknowledge_at: None,
            last_heard: Instant::now(),
            pinged_at: None,
            listened: true,
            turn_due: None,
            token_is_known: false,
            acknowledges: false,
            pongs: false,
            socket_answers: false,
            pings: false,
            parting: Parting::No,
            ending: None,
        }
    }

    /// Looks at what others want of the socket. From now on its task is woken when there is more.
    pub(crate) fn look_at_the_link(&mut self, context: &Context<'_>) -> Result<(), Ending> {
        let Attached { link, socket: number, .. } = &self.attached;
        let mut link = link.lock();
        if link.socket != *number {
            return Err(Ending::Over(CloseReason::Replaced));
        }
        if let Some(reason) = link.close {
            return Err(Ending::Over(reason));
        }
        if let (Some(reconnect_after), Parting::No) = (link.closing, &self.parting) {
            self.parting = Parting::Says(self.attached.link.say(&ServerMessage::Closing { reconnect_after }));
        }
        link.watch(context);
        let writes = link.rest.is_some() || link.outbox.has_unwritten() || {
            let says = matches!(self.parting, Parting::Says(_)) || self.attached.welcome.is_some();
            says || self.answers() || self.pings || self.blocked_since.is_some()
        };
        if writes {
            self.has_pen = self.has_pen || take_pen(&mut link, &mut self.ink, &mut self.rest).is_ready();
        } else if let Some(ink) = self.ink.take() {
            link.pen = Pen::Free(ink);
            self.has_pen = false;
        }
        self.turn_due = link.turn_due.map(Instant::from_std);
        drop(link);
        self.pay()?;
        let listens = self.listens();
        if listens && !mem::replace(&mut self.listened, listens) && self.pinged_at.is_some() {
            // Its answer could not be heard until now.
            self.pinged_at = Some(Instant::now());
        }
        self.listened = listens;
        Ok(())
    }

    /// Waits until this task may write, for its last words.
    pub(crate) fn poll_pen(&mut self, context: &Context<'_>) -> Poll<()> {
        let Attached { link, socket: number, .. } = &self.attached;
        let mut link = link.lock();
        if self.has_pen || link.socket != *number {
            return Poll::Ready(());
        }
        link.watch(context);
        take_pen(&mut link, &mut self.ink, &mut self.rest)
    }

    /// Whether something may be sent.
    pub(crate) fn writes(&self) -> bool {
        self.has_pen
    }

    /// Whether others could send, if the task gave them the means.
    pub(crate) fn keeps_others_waiting(&self) -> bool {
        self.ink.is_some() && self.blocked_since.is_none()
    }

    /// What is to be sent next.
    pub(crate) fn next(&mut self) -> Option<Outgoing> {
        self.takes = true;
        if let Some((frame, sent)) = self.rest.take() {
            return Some(Outgoing::Rest(frame, sent));
        }
        if let Some(welcome) = self.attached.welcome.take() {
            return Some(Outgoing::Message(welcome));
        }
        if mem::take(&mut self.acknowledges) {
            self.unacknowledged = 0;
            self.acknowledge_at = None;
            let ack = ServerMessage::Ack { received: self.received };
            return self.attached.link.say(&ack).map(Outgoing::Message);
        }
        if mem::take(&mut self.pongs) {
            return self.attached.link.say(&ServerMessage::Pong).map(Outgoing::Message);
        }
        if mem::take(&mut self.pings) {
            return Some(Outgoing::Ping);
        }
        if let Some(frame) = self.attached.link.next_frame(self.attached.socket) {
            return Some(Outgoing::Message(frame));
        }
        match mem::replace(&mut self.parting, Parting::Said) {
            Parting::Says(frame) => frame.map(Outgoing::Message),
            parting @ (Parting::No | Parting::Said) => {
                self.parting = parting;
                None
            }
        }
    }

    /// What is still to be said where the session is over, and the client listens: what was meant for it, if it is told why.
    pub(crate) fn last_words(&mut self, reason: Option<CloseReason>) -> Option<Outgoing> {
        let is_told = reason.is_some_and(|reason| {
            matches!(
                reason,
                CloseReason::Bye
                    | CloseReason::Kicked
                    | CloseReason::Protocol
                    | CloseReason::TooLarge
                    | CloseReason::Unauthorized
            )
        });
        if let Some((frame, sent)) = self.rest.take() {
            return Some(Outgoing::Rest(frame, sent));
        }
        // Another socket may have taken over before this one was welcomed.
        if let Some(welcome) = self.attached.welcome.take().filter(|_| reason.is_some()) {
            return Some(Outgoing::Message(welcome));
        }
        let Attached { link, socket: number, .. } = &self.attached;
        is_told.then(|| link.next_frame(*number)).flatten().map(Outgoing::Message)
    }

    /// Takes note of whether all is sent.
    pub(crate) fn sent(&mut self, sent: Poll<io::Result<()>>) -> Result<(), Ending> {
        let takes = mem::take(&mut self.takes);
        match sent {
            Poll::Ready(sent) => {
                sent?;
                self.blocked_since = None;
                self.socket_answers = false;
                if let Parting::Said = self.parting {
                    return Err(Ending::Lost(Some(CloseReason::Draining)));
                }
            }
            Poll::Pending if takes || self.blocked_since.is_none() => {
                self.blocked_since = Some(Instant::now());
            }
            Poll::Pending => {}
        }
        Ok(())
    }

    /// Whether the socket is read: not while the client does not read itself, and not while it has asked for more than is
    /// answered so fast.
    pub(crate) fn listens(&self) -> bool {
        self.blocked_since.is_none() && !self.is_deaf()
    }

    fn is_deaf(&self) -> bool {
        self.paused_until.is_some() || self.attached.link.held.load(Relaxed)
    }

    /// Takes one thing from the client.
    pub(crate) fn take(&mut self, received: Received<'_>) -> ControlFlow<()> {
        match self.received(received) {
            Ok(()) if self.is_deaf() || self.answers() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(ending) => {
                self.ending = Some(ending);
                ControlFlow::Break(())
            }
        }
    }

    /// Whether this task, or the socket itself, has something to answer.
    pub(crate) fn answers(&self) -> bool {
        self.acknowledges || self.pongs || self.socket_answers
    }

    /// After something was [taken](Self::take).
    pub(crate) fn go_on(&mut self) -> Result<(), Ending> {
        self.ending.take().map_or(Ok(()), Err)
    }

    fn received(&mut self, received: Received<'_>) -> Result<(), Ending> {
        self.last_heard = Instant::now();
        self.pinged_at = None;
        match received {
            Received::LifeSign => {
                self.owed = Cost::message(LIFE_SIGN);
                self.socket_answers = true;
            }
            Received::Text(text) => {
                self.owed = Cost::message(text.len());
                self.read(text)?;
            }
            Received::Binary(_) => {
                // However large: it is an error of form, and there are few of those.
                self.owed = Cost::message(0);
                let session = self.attached.link.session;
                let input = Input::Malformed { session, code: ErrorCode::BadMessage, id: None };
                self.deliver(Some(input), false)?;
            }
            Received::TooLarge => return Err(self.end(CloseReason::TooLarge)),
            // There was no time for `bye`: Firefox closes the socket before it tells the page.
            Received::GoneAway => return Err(self.end(CloseReason::Bye)),
            Received::Closed => return Err(Ending::Lost(None)),
        }
        self.pay()
    }

    fn read(&mut self, text: &str) -> Result<(), Ending> {
        let session = self.attached.link.session;
        if self.attached.link.foreign.is_some() {
            return self.read_guest(text);
        }
        let frame = match codec::decode(text, &self.shared.config.frames) {
            Ok(frame) => frame,
            Err(error) => {
                let input = Input::Malformed { session, code: error.code, id: error.id };
                return self.deliver(Some(input), true);
            }
        };
        if let ClientMessage::Ack { received } = frame.message {
            let impossible = self.attached.link.acknowledge(received).is_err();
            let input = Input::Malformed { session, code: ErrorCode::BadMessage, id: frame.id };
            return self.deliver(impossible.then_some(input), false);
        }
        if frame.message == ClientMessage::Ping {
            self.pongs = true;
            return self.deliver(None, false);
        }
        let counted = frame.message.is_counted();
        self.deliver(Some(Input::Message { session, frame }), counted)
    }

    /// Hands a frame to the hub, unless another socket has taken over: the client sends it again there.
    fn deliver(&mut self, input: Option<Input<'_>>, counted: bool) -> Result<(), Ending> {
        let learn_token = !mem::replace(&mut self.token_is_known, true);
        let owed = mem::take(&mut self.owed);
        let Self { shared, attached: Attached { link, socket: number, .. }, last_heard: now, .. } = &*self;
        if learn_token {
            link.forget_previous_ticket(*number);
        }
        let Some(input) = input else {
            self.owed = owed;
            return Ok(());
        };
        let started = shared.metrics.is_timed(&input).then(Instant::now);
        let (mut received, mut pace) = (0, Pace::Read);
        let now = now.into_std();
        let is_current = shared.handle_of(link, now, |state| {
            if !state.has(link) {
                return None;
            }
            let mut carried = link.lock();
            let is_current = carried.socket == *number;
            carried.received += u64::from(is_current && counted);
            received = carried.received;
            pace = carried.budget.pay(&shared.config.rates, owed, now);
            is_current.then_some(input)
        });
        if let Some(started) = started {
            shared.metrics.relay_time.took(started.elapsed());
        }
        if !is_current {
            return Err(Ending::Over(link.lock().close.unwrap_or(CloseReason::Replaced)));
        }
        if counted {
            self.received = received;
            self.unacknowledged += 1;
            self.acknowledges = self.unacknowledged >= ACK_EVERY;
            self.acknowledge_at.get_or_insert(self.last_heard + self.shared.config.timing.acknowledge);
        }
        self.keep(pace)
    }

    /// Charges what is owed.
    fn pay(&mut self) -> Result<(), Ending> {
        let owed = mem::take(&mut self.owed);
        if owed == Cost::default() && self.paused_until.is_none() {
            return Ok(());
        }
        let now = Instant::now().into_std();
        let pace = self.attached.link.lock().budget.pay(&self.shared.config.rates, owed, now);
        self.keep(pace)
    }

    fn keep(&mut self, pace: Pace) -> Result<(), Ending> {
        self.paused_until = match pace {
            Pace::Wait(until) => Some(until.into()),
            Pace::Over => return Err(self.end(CloseReason::Rate)),
            Pace::Read => None,
        };
        Ok(())
    }

    /// When the clock has to be looked at next.
    pub(crate) fn due(&self) -> Instant {
        let timing = &self.shared.config.timing;
        let silence = match self.pinged_at {
            // Its answer would not be heard.
            Some(_) if !self.listened => Instant::now() + timing.heartbeat,
            Some(pinged_at) => pinged_at + timing.heartbeat_timeout,
            None => self.last_heard + timing.heartbeat,
        };
        let slow = self.blocked_since.map(|since| since + timing.write);
        let others = [self.acknowledge_at, self.turn_due, self.paused_until, slow];
        others.into_iter().flatten().fold(silence, Instant::min)
    }

    /// Does what is due.
    pub(crate) fn look_at_the_clock(&mut self) -> Result<(), Ending> {
        let now = Instant::now();
        let timing = &self.shared.config.timing;
        if self.blocked_since.is_some_and(|since| since + timing.write <= now) {
            return Err(Ending::Lost(Some(CloseReason::Slow)));
        }
        if self.acknowledge_at.take_if(|due| *due <= now).is_some() {
            self.acknowledges = true;
        }
        if self.turn_due.take_if(|due| *due <= now).is_some() {
            self.shared.refresh_turn(&self.attached.link);
        }
        match self.pinged_at {
            Some(pinged_at) if self.listened && now >= pinged_at + timing.heartbeat_timeout => {
                return Err(Ending::Lost(Some(CloseReason::Heartbeat)));
            }
            None if now >= self.last_heard + timing.heartbeat => {
                self.pinged_at = Some(now);
                self.pings = true;
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Ends the session with its socket, unless another socket has taken over.
    fn end(&self, reason: CloseReason) -> Ending {
        let Attached { link, socket: number, .. } = &self.attached;
        let input = Input::Disconnected { session: link.session, reason: EndReason::from(reason) };
        self.shared.handle_for(link, input, |link| link.socket == *number);
        Ending::Over(reason)
    }

    /// The session waits for another socket, unless it has one already or is over. That of a guest ends.
    pub(crate) fn detach(&self) {
        let Attached { link, socket: number, .. } = &self.attached;
        let session = link.session;
        let input = match link.foreign {
            Some(_) => Input::Disconnected { session, reason: EndReason::Timeout },
            None => Input::Detached { session },
        };
        self.shared.handle_for(link, input, |link| {
            let is_current = link.socket == *number && link.attached;
            link.attached &= !is_current;
            if is_current {
                link.forget_pen();
                // The next socket finds what this one has left.
                link.budget.pay(&self.shared.config.rates, self.owed, Instant::now().into_std());
            }
            is_current
        });
    }
}

/// Takes the pen of a socket that this task carries, as soon as nobody else writes.
fn take_pen(link: &mut LinkState, ink: &mut Option<Ink>, rest: &mut Option<(Frame, usize)>) -> Poll<()> {
    if let Pen::Lent { is_awaited } = &mut link.pen {
        *is_awaited = true;
        return Poll::Pending;
    }
    *ink = link.pen.take(Pen::Kept);
    *rest = link.rest.take();
    Poll::Ready(())
}

/// However the task ends, be it by a panic of the embedder's policy, no session stays for which nobody listens.
impl Drop for Conversation {
    fn drop(&mut self) {
        finish();
        self.detach();
    }
}
