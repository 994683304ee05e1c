//! Runs the hub: inputs in, under one short lock; outputs to links, events and the policy.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashMap,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    task::Waker,
    time::Instant,
};

use signal_core::{
    ChannelName, CloseReason, EndReason, Epoch, ErrorCode, Hub, Input, Output, OwnedPayload, PeerId,
    ServerMessage, SessionId,
};
use slab::Slab;
use tokio::{sync::Notify, sync::broadcast, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Level;

use crate::{
    Event, Policy, Refusal,
    addresses::Addresses,
    builder::{Config, IceServer},
    delivery::{Delivery, Links},
    dialect::Seats,
    link::{Link, LinkState},
    log::Log,
    metrics::Metrics,
    question::Question,
    random,
    tokens::Signer,
    trace,
    turn::Minter,
};

/// One server: what all its sockets share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) policy: Box<dyn Policy>,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) signer: Signer,
    pub(crate) ice_servers: OwnedPayload,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: TaskTracker,
    pub(crate) draining: CancellationToken,
    pub(crate) timer: Arc<Notify>,
    pub(crate) timer_runs: AtomicBool,
    state: Mutex<State>,
}

/// What the one lock guards.
pub(crate) struct State {
    pub(crate) hub: Hub,
    log: Box<dyn Log>,
    pub(crate) links: Links,
    pub(crate) turn: Option<Minter>,
    /// The session of each identity, if there may be one only.
    pub(crate) identities: HashMap<Box<str>, SessionId>,
    /// How many sessions there have been.
    pub(crate) sessions: u64,
    /// When the timer's task will wake.
    armed: Option<Instant>,
}

/// What is left to do once the lock is given back. One for each thread.
#[derive(Default)]
struct Scratch {
    delivery: Delivery,
    questions: Vec<Question>,
    /// For the log.
    happened: Vec<Event>,
    /// What brings back the seat of which a session is told next.
    seat: Option<String>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Shared {
    pub(crate) fn new(policy: Box<dyn Policy>, config: Config, log: Box<dyn Log>) -> Self {
        let ice_servers: Vec<_> = config.ice_servers.iter().collect();
        let ice_servers = IceServer::list(&ice_servers);
        let epoch = Epoch(random::number());
        let mut state = State {
            hub: Hub::new(config.limits.clone(), epoch),
            log,
            links: Slab::new(),
            turn: config.turn.as_ref().map(|turn| Minter::new(turn, &config.ice_servers)),
            identities: HashMap::new(),
            sessions: 0,
            armed: None,
        };
        if !config.keys.0.is_empty() {
            state.hub.handle_input(time::Instant::now().into_std(), Input::Restarted, |_| {});
        }
        let addresses = Addresses::new(config.sockets.clone(), config.trusted_proxies.clone());
        Self {
            policy,
            addresses: Arc::new(addresses),
            signer: Signer::new(&config.keys, epoch, config.timing.token_life),
            ice_servers,
            events: broadcast::Sender::new(config.kept_events),
            metrics: Metrics::new(),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            timer: Arc::new(Notify::new()),
            timer_runs: AtomicBool::new(false),
            state: Mutex::new(state),
            config,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are as many sessions as there may be.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().is_full(&self.config)
    }

    /// Applies one input and carries out all that follows.
    pub(crate) fn handle(self: &Arc<Self>, input: Input<'_>) {
        self.handle_if(input, |_| true);
    }

    /// Applies one input, unless `condition` says under the lock that it has come too late.
    pub(crate) fn handle_if(
        self: &Arc<Self>,
        input: Input<'_>,
        condition: impl FnOnce(&mut State) -> bool,
    ) -> bool {
        self.handle_with(|state| condition(state).then_some(input))
    }

    /// Applies the input that `make` makes under the lock, if it makes one.
    pub(crate) fn handle_with<'i>(
        self: &Arc<Self>,
        make: impl FnOnce(&mut State) -> Option<Input<'i>>,
    ) -> bool {
        let applied = self.handle_at(time::Instant::now().into_std(), make);
        // The answer of a policy, mostly, that was there at once.
        let is_within = SCRATCH.with_borrow(|scratch| scratch.delivery.is_of_a_task());
        if !is_within {
            finish();
        }
        applied
    }

    /// [`Self::handle_with`], for the task that has this link. Nothing of all that is caused until [`finish`] is written before, nor
    /// is anybody woken.
    pub(crate) fn handle_of<'i>(
        self: &Arc<Self>,
        own: &Arc<Link>,
        now: Instant,
        make: impl FnOnce(&mut State) -> Option<Input<'i>>,
    ) -> bool {
        SCRATCH.with_borrow_mut(|scratch| scratch.delivery.begin(own));
        self.handle_at(now, make)
    }

    fn handle_at<'i>(
        self: &Arc<Self>,
        now: Instant,
        make: impl FnOnce(&mut State) -> Option<Input<'i>>,
    ) -> bool {
        let (applied, questions, happened) = SCRATCH.with_borrow_mut(|scratch| {
            let applied = {
                let mut state = self.lock();
                let input = make(&mut state);
                let applied = input.is_some();
                if let Some(input) = input {
                    state.apply(now, input, self, scratch);
                }
                state.arm(&self.timer);
                applied
            };
            (applied, mem::take(&mut scratch.questions), mem::take(&mut scratch.happened))
        });
        happened.iter().for_each(trace::happened);
        for question in questions {
            self.ask(question);
        }
        applied
    }

    /// Applies one input about the session of `link`, unless that has ended or `condition` says that it has come too
    /// late. Whether it was applied.
    pub(crate) fn handle_for(
        self: &Arc<Self>,
        link: &Arc<Link>,
        input: Input<'_>,
        condition: impl FnOnce(&mut LinkState) -> bool,
    ) -> bool {
        self.handle_if(input, |state| state.has(link) && condition(&mut link.lock()))
    }

    /// Ends a session and closes its socket. Whether it was there.
    pub(crate) fn end(self: &Arc<Self>, link: &Arc<Link>, reason: CloseReason) -> bool {
        let input = Input::Disconnected { session: link.session, reason: EndReason::from(reason) };
        self.handle_for(link, input, |link| {
            link.close = Some(reason);
            link.wake().into_iter().for_each(Waker::wake);
            true
        })
    }
}

/// Writes, and lets write, what has been caused by what this thread has handled.
pub(crate) fn finish() {
    SCRATCH.with_borrow_mut(|scratch| scratch.delivery.finish());
}

impl State {
    fn apply(&mut self, now: Instant, input: Input<'_>, shared: &Shared, scratch: &mut Scratch) {
        self.step(now, input, shared, scratch);
        while let Some((session, reason)) = scratch.delivery.pop_ended() {
            scratch.delivery.close(&self.links, session, reason);
            self.step(now, Input::Disconnected { session, reason: reason.into() }, shared, scratch);
        }
    }

    fn step(&mut self, now: Instant, input: Input<'_>, shared: &Shared, scratch: &mut Scratch) {
        let Self { hub, log, links, turn, identities, sessions: _, armed: _ } = self;
        let (events, metrics) = (&shared.events, &shared.metrics);
        let peer =
            |links: &Links, session: SessionId| links.get(session.0 as usize).map(|link| link.peer.clone());
        log.handle_input(hub, now, input, &mut |output| {
            let output = metrics.count(output);
            scratch.delivery.keep_order(&output, links, shared, now);
            match output {
                Output::Send { to, mut message, context } => {
                    if let ServerMessage::Joined { seat, .. } = &mut message {
                        *seat = scratch.seat.take().map(Cow::Owned);
                    }
                    scratch.delivery.send(to, &message, context, links, shared, now);
                }
                Output::Authorize { token, place, userdata, seat } => {
                    if let Some(link) = links.get(token.session().0 as usize) {
                        scratch.questions.push(Question {
                            token,
                            link: Arc::clone(link),
                            place: place.clone(),
                            userdata: userdata.map(|userdata| userdata.to_owned()),
                            seat: seat.map(ToOwned::to_owned),
                        });
                    }
                }
                Output::Hold { session } => scratch.delivery.set_held(links, session, true),
                Output::Release { session } => scratch.delivery.set_held(links, session, false),
                Output::Close { session, reason } => scratch.delivery.close(links, session, reason),
                Output::Joined { session, channel, settings, standing } => {
                    // Before it is told of anybody to whom it will connect.
                    let native = links.get(session.0 as usize).filter(|link| link.foreign.is_none());
                    if let Some(link) = native
                        && let Some(frame) = turn.as_mut().and_then(|turn| turn.fresh_for(link, now))
                    {
                        scratch.delivery.give(link, frame, metrics);
                    }
                    if let Some(peer) = peer(links, session) {
                        if native.is_some() && !shared.config.keys.0.is_empty() {
                            scratch.seat =
                                Some(shared.signer.seat_token(&peer, channel.as_str(), settings, standing));
                        }
                        let event = || Event::Joined { peer, channel: channel.clone() };
                        publish(events, tracing::enabled!(Level::DEBUG), scratch, event);
                    }
                }
                Output::Parted { session, channel, reason } => {
                    if let Some(peer) = peer(links, session) {
                        let event = || Event::Parted { peer, channel: channel.clone(), reason };
                        publish(events, tracing::enabled!(Level::DEBUG), scratch, event);
                    }
                }
                Output::Ended { session, peer, reason } => {
                    let identity =
                        links.try_remove(session.0 as usize).and_then(|link| link.identity.clone());
                    if let Some(identity) = identity
                        && identities.get(&identity) == Some(&session)
                    {
                        identities.remove(&identity);
                    }
                    let event = || Event::Gone { peer: peer.clone(), reason };
                    publish(events, tracing::enabled!(Level::INFO), scratch, event);
                }
                // The log has taken it.
                Output::Append { .. } => {}
            }
        });
        scratch.delivery.tell_introductions(links, shared, now);
    }

    pub(crate) fn is_full(&self, config: &Config) -> bool {
        self.links.len() >= config.sockets.sessions
    }

    pub(crate) fn link(&self, session: SessionId) -> Option<&Arc<Link>> {
        self.links.get(session.0 as usize)
    }

    /// Whether the session of `link` has not ended. Its number may be in use again otherwise.
    pub(crate) fn has(&self, link: &Arc<Link>) -> bool {
        self.link(link.session).is_some_and(|current| Arc::ptr_eq(current, link))
    }

    /// Wakes the timer's task if it would sleep for too long.
    fn arm(&mut self, timer: &Notify) {
        let next = self.hub.poll_timeout();
        if let Some(next) = next
            && self.armed.is_none_or(|armed| next < armed)
        {
            self.armed = Some(next);
            timer.notify_one();
        }
    }

    /// When the timer's task has to wake next.
    pub(crate) fn rearm(&mut self) -> Option<Instant> {
        self.armed = self.hub.poll_timeout();
        self.armed
    }
}

fn publish(
    events: &broadcast::Sender<Event>,
    is_logged: bool,
    scratch: &mut Scratch,
    event: impl FnOnce() -> Event,
) {
    let is_observed = events.receiver_count() > 0;
    if !is_logged && !is_observed {
        return;
    }
    let event = event();
    if is_logged {
        // Once the lock is given back: the log may be slow.
        scratch.happened.push(event.clone());
    }
    if is_observed {
        // Fails only if the last observer has gone in this moment.
        let _ = events.send(event);
    }
}

impl Seats for Shared {
    fn of(&self, peer: &PeerId) -> Vec<ChannelName> {
        let state = self.lock();
        let session = state.hub.session_of(peer.as_str());
        session.map(|session| state.hub.channels_of(session).cloned().collect()).unwrap_or_default()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.timer.notify_one();
    }
}

/// A code that a socket is closed with before it has a session.
pub(crate) fn close_reason_of(refusal: &Refusal) -> CloseReason {
    if refusal.code == ErrorCode::Unavailable { CloseReason::HelloTimeout } else { CloseReason::Unauthorized }
}
