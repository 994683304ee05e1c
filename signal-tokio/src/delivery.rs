//! From what the hub says to the outboxes of those who are told, and on to their sockets.

use std::{
    sync::{Arc, MutexGuard, atomic::Ordering::Relaxed},
    task::Waker,
    time::Instant,
};

use signal_core::{CloseReason, Context, Output, Recipients, ServerMessage, SessionId, codec};
use slab::Slab;

use crate::{
    Dialect, Frame,
    dialect::{self, Written},
    driver::Shared,
    frame::{FrameBlock, FrameBuffer},
    link::{Link, LinkState},
    metrics::Metrics,
    pen::{Errand, Pen},
};

/// By session number.
pub(crate) type Links = Slab<Arc<Link>>;

/// What is encoded, and who has got something. The buffers stay with the thread, so that relaying a message allocates nothing
/// but its frame.
#[derive(Default)]
pub(crate) struct Delivery {
    text: FrameBuffer,
    /// What one session is told of others, in one block: a member that joins is told of all who are there.
    introductions: FrameBlock,
    introduced: Option<SessionId>,
    /// What the message under way is in each dialect of those who get it.
    translations: Vec<(Arc<dyn Dialect>, Written)>,
    reached: Reached,
}

/// Who has got something, and how it leaves.
#[derive(Default)]
struct Reached {
    woken: Vec<Waker>,
    errands: Vec<Errand>,
    /// Where the link is whose task is at work, until that has [finished](Delivery::finish). It looks for itself whether it has
    /// something to write. (A number would not do: there may be several servers.)
    own: Option<usize>,
    /// Whose sessions end by what they are told.
    ended: Vec<(SessionId, CloseReason)>,
}

/// A block of introductions is no longer than that and one more of them: it stays until the last of them is acknowledged.
const BLOCK: usize = 32 << 10;

impl Delivery {
    /// The task of this link is at work.
    pub(crate) fn begin(&mut self, own: &Arc<Link>) {
        self.reached.own = Some(Arc::as_ptr(own).addr());
    }

    /// Whether [`Self::begin`] has been called, and [`Self::finish`] has not.
    pub(crate) fn is_of_a_task(&self) -> bool {
        self.reached.own.is_some()
    }

    /// Writes, and lets write, what is queued.
    pub(crate) fn finish(&mut self) {
        let Reached { errands, woken, own, .. } = &mut self.reached;
        *own = None;
        woken.extend(errands.drain(..).filter_map(Errand::run));
        woken.drain(..).for_each(Waker::wake);
    }

    /// One of those whose sessions end by what they were told, be it that there was no room for it.
    pub(crate) fn pop_ended(&mut self) -> Option<(SessionId, CloseReason)> {
        self.reached.ended.pop()
    }

    /// Call it before each output: what came before it is told before it.
    pub(crate) fn keep_order(&mut self, output: &Output<'_>, links: &Links, shared: &Shared, now: Instant) {
        let introduced = introduced(output, links);
        if introduced != self.introduced || self.introductions.len() >= BLOCK {
            self.tell_introductions(links, shared, now);
            self.introduced = introduced;
        }
    }

    /// Encodes a message and queues it for all who get it.
    pub(crate) fn send(
        &mut self,
        to: Recipients<'_>,
        message: &ServerMessage<'_>,
        context: Context<'_>,
        links: &Links,
        shared: &Shared,
        now: Instant,
    ) {
        let metrics = &shared.metrics;
        if self.introduced.is_some() {
            let started = metrics.encode_time.start();
            self.introductions.add(|text| codec::encode(message, text));
            return metrics.encode_time.stop(started);
        }
        // None is left but by a dialect that has panicked.
        self.translations.clear();
        let mut frame = None;
        let introduces = matches!(message, ServerMessage::AddPeer { .. });
        let is_alone = to.iter().nth(1).is_none();
        for session in to.iter() {
            let Some(link) = links.get(session.0 as usize) else { continue };
            let mut carried = link.lock();
            if introduces {
                carried.budget.introduce(&shared.config.rates, now);
            }
            if let Some(dialect) = link.dialect() {
                self.tell_guest(link, carried, dialect, (message, context), is_alone, metrics);
                continue;
            }
            let frame = frame.get_or_insert_with(|| {
                let started = metrics.encode_time.start();
                let frame = self.text.frame(|text| codec::encode(message, text));
                metrics.encode_time.stop(started);
                frame
            });
            queue(link, carried, [frame.clone()], is_alone, metrics, &mut self.reached);
        }
        self.translations.clear();
    }

    /// Queues what a guest is told: the same as all others who speak this dialect.
    fn tell_guest(
        &mut self,
        link: &Arc<Link>,
        carried: MutexGuard<'_, LinkState>,
        dialect: &Arc<dyn Dialect>,
        (message, context): (&ServerMessage<'_>, Context<'_>),
        is_alone: bool,
        metrics: &Metrics,
    ) {
        let known = self.translations.iter().position(|(known, _)| Arc::ptr_eq(known, dialect));
        let known = known.unwrap_or_else(|| {
            self.translations.push((Arc::clone(dialect), dialect::write(&**dialect, message, context)));
            self.translations.len() - 1
        });
        let (_, Written { frames, close }) = &self.translations[known];
        if !frames.is_empty() {
            let is_alone = is_alone && frames.len() == 1;
            queue(link, carried, frames.iter().cloned(), is_alone, metrics, &mut self.reached);
        }
        self.reached.ended.extend(close.map(|reason| (link.session, reason)));
    }

    /// Queues the introductions that are encoded.
    pub(crate) fn tell_introductions(&mut self, links: &Links, shared: &Shared, now: Instant) {
        let Some(session) = self.introduced.take() else { return };
        let frames = self.introductions.take();
        let Some(link) = links.get(session.0 as usize) else { return };
        let mut carried = link.lock();
        for _ in 0..frames.len() {
            carried.budget.introduce(&shared.config.rates, now);
        }
        queue(link, carried, frames, true, &shared.metrics, &mut self.reached);
    }

    /// Queues a frame for one.
    pub(crate) fn give(&mut self, link: &Arc<Link>, frame: Frame, metrics: &Metrics) {
        queue(link, link.lock(), [frame], true, metrics, &mut self.reached);
    }

    pub(crate) fn set_held(&mut self, links: &Links, session: SessionId, held: bool) {
        let Some(link) = links.get(session.0 as usize) else { return };
        link.held.store(held, Relaxed);
        let mut link = link.lock();
        self.reached.woken.extend(link.wake());
    }

    pub(crate) fn close(&mut self, links: &Links, session: SessionId, reason: CloseReason) {
        let Some(link) = links.get(session.0 as usize) else { return };
        let mut link = link.lock();
        link.close = Some(reason);
        self.reached.woken.extend(link.wake());
    }
}

/// Whom this introduces somebody to, if that is one alone, and no guest.
fn introduced(output: &Output<'_>, links: &Links) -> Option<SessionId> {
    let Output::Send { to, message: ServerMessage::AddPeer { .. }, .. } = output else { return None };
    let mut to = to.iter();
    let one = to.next().filter(|_| to.next().is_none())?;
    links.get(one.0 as usize).is_none_or(|link| link.foreign.is_none()).then_some(one)
}

fn queue(
    link: &Arc<Link>,
    mut carried: MutexGuard<'_, LinkState>,
    frames: impl IntoIterator<Item = Frame>,
    is_alone: bool,
    metrics: &Metrics,
    reached: &mut Reached,
) {
    for frame in frames {
        if carried.outbox.push(frame).is_err() {
            reached.ended.push((link.session, CloseReason::Overflow));
            return;
        }
        metrics.outbox_depth.saw(carried.outbox.len());
    }
    if reached.own == Some(Arc::as_ptr(link).addr()) {
        return;
    }
    if let Pen::Lent { is_awaited } = &mut carried.pen {
        *is_awaited = true;
    } else if is_alone && let Some(ink) = carried.lend() {
        reached.errands.push(Errand { link: Arc::clone(link), socket: carried.socket, ink });
    } else {
        reached.woken.extend(carried.wake());
    }
}
