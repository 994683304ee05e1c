//! What is counted and measured while the server works. What there is at the moment is asked for when somebody looks.
//!
//! No label has a value that a peer, a page or a policy has written: all of them are known beforehand.

mod text;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use http::StatusCode;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use signal_core::{ClientMessage, CloseReason, EndReason, ErrorCode, Input, Output, ServerMessage};

use crate::driver::Shared;

pub use text::{METRICS_TYPE, metrics};

/// Times and depths are looked at once in so often: a look at the clock costs more than all the counting.
const EVERY: u32 = 16;

/// Everything that is counted, from the start of the server on. Counting is one addition, and allocates nothing.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) sockets_open: AtomicU64,
    pub(crate) sockets_accepted: AtomicU64,
    pub(crate) upgrades_refused: Counters,
    pub(crate) sessions_started: AtomicU64,
    pub(crate) sessions_ended: Counters,
    pub(crate) resumes: Counters,
    pub(crate) joins: AtomicU64,
    pub(crate) parts: AtomicU64,
    pub(crate) matched: AtomicU64,
    pub(crate) relays: Counters,
    pub(crate) errors: Counters,
    pub(crate) closes: Counters,
    pub(crate) admin_refusals: AtomicU64,
    warned: Mutex<Option<Instant>>,
    pub(crate) outbox_depth: Sampled,
    pub(crate) encode_time: Sampled,
    pub(crate) relay_time: Sampled,
}

/// Counters that differ in the value of one label.
#[derive(Debug)]
pub(crate) struct Counters {
    label: &'static str,
    values: Box<[(&'static str, AtomicU64)]>,
}

/// A histogram of some of what there is to measure.
#[derive(Debug)]
pub(crate) struct Sampled {
    histogram: Histogram,
    seen: AtomicU32,
}

/// What became of a client that wanted its session back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resumption {
    /// It has it.
    Resumed,
    /// There is no session with that token.
    Unknown,
    /// The session is somebody else's.
    WrongIdentity,
    /// It cannot have received what it says.
    ImpossibleCount,
    /// The server has started again since. It has its peer id, in a new session.
    Restored,
}

impl Resumption {
    const ALL: [Self; 5] =
        [Self::Resumed, Self::Unknown, Self::WrongIdentity, Self::ImpossibleCount, Self::Restored];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Unknown => "unknown",
            Self::WrongIdentity => "wrong_identity",
            Self::ImpossibleCount => "impossible_count",
            Self::Restored => "restored",
        }
    }
}

/// The socket was lost, or closed by the client.
const LOST: &str = "lost";

impl Metrics {
    pub(crate) fn new() -> Self {
        let ends = EndReason::ALL.map(EndReason::as_str);
        let closes = CloseReason::ALL.map(CloseReason::as_str).into_iter().chain([LOST]);
        Self {
            sockets_open: AtomicU64::new(0),
            sockets_accepted: AtomicU64::new(0),
            upgrades_refused: Counters::new("status", ["403", "429", "503", "other"]),
            sessions_started: AtomicU64::new(0),
            sessions_ended: Counters::new("reason", ends),
            resumes: Counters::new("outcome", Resumption::ALL.map(Resumption::as_str)),
            joins: AtomicU64::new(0),
            parts: AtomicU64::new(0),
            matched: AtomicU64::new(0),
            relays: Counters::new("kind", ["description", "candidate", "data", "published"]),
            errors: Counters::new("code", ErrorCode::ALL.map(ErrorCode::as_str)),
            closes: Counters::new("reason", closes),
            admin_refusals: AtomicU64::new(0),
            warned: Mutex::new(None),
            // To 1,024, where a session ends by default.
            outbox_depth: Sampled::new(exponential_buckets(1.0, 2.0, 11)),
            // From 0.25 µs to 4 ms.
            encode_time: Sampled::new(exponential_buckets(0.25e-6, 4.0, 8)),
            // From 1 µs to 0.26 s.
            relay_time: Sampled::new(exponential_buckets(1e-6, 4.0, 10)),
        }
    }

    /// Counts what the hub puts out, and passes it on.
    pub(crate) fn count<'a>(&self, output: Output<'a>) -> Output<'a> {
        if let Output::Send { message, .. } = &output {
            self.sent(message);
        } else if let Output::Joined { .. } = &output {
            self.joins.fetch_add(1, Relaxed);
        } else if let Output::Parted { .. } = &output {
            self.parts.fetch_add(1, Relaxed);
        } else if let Output::Ended { reason, .. } = &output {
            self.sessions_ended.count(reason.as_str());
        }
        output
    }

    fn sent(&self, message: &ServerMessage<'_>) {
        if let ServerMessage::IceCandidate { .. } = message {
            self.relays.count("candidate");
        } else if let ServerMessage::SessionDescription { .. } = message {
            self.relays.count("description");
        } else if let ServerMessage::Message { peer_id, .. } = message {
            self.relays.count(if peer_id.is_some() { "data" } else { "published" });
        } else if let ServerMessage::Error { code, .. } = message {
            self.errors.count(code.as_str());
        } else if let ServerMessage::Matched { .. } = message {
            self.matched.fetch_add(1, Relaxed);
        }
    }

    /// A socket is closed, by us for this reason or else without us.
    pub(crate) fn closed(&self, reason: Option<CloseReason>) {
        let reason = reason.map_or(LOST, CloseReason::as_str);
        self.closes.count(reason);
        tracing::debug!(reason, "a socket is closed");
    }

    /// A request for a socket was answered with `status`.
    pub(crate) fn refused(&self, status: StatusCode) {
        self.upgrades_refused.count(match status.as_u16() {
            403 => "403",
            429 => "429",
            503 => "503",
            _ => "other",
        });
    }

    /// Whether the last warning of refused admin requests is long enough ago.
    pub(crate) fn warns_again(&self, now: Instant, pause: Duration) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = warned.is_none_or(|then| now.duration_since(then) >= pause);
        if is_due {
            *warned = Some(now);
        }
        is_due
    }

    /// Whether it is to be measured how long `input` takes.
    pub(crate) fn is_timed(&self, input: &Input<'_>) -> bool {
        let is_relay = matches!(input, Input::Message { frame, .. } if matches!(
            frame.message,
            ClientMessage::RelaySessionDescription { .. }
                | ClientMessage::RelayIceCandidate { .. }
                | ClientMessage::SendToPeer { .. }
                | ClientMessage::SendToChannel { .. }
        ));
        is_relay && self.relay_time.is_due()
    }
}

impl Counters {
    fn new(label: &'static str, values: impl IntoIterator<Item = &'static str>) -> Self {
        Self { label, values: values.into_iter().map(|value| (value, AtomicU64::new(0))).collect() }
    }

    pub(crate) fn count(&self, value: &'static str) {
        let counter = self.values.iter().find(|(known, _)| *known == value);
        debug_assert!(counter.is_some(), "{value} is missing in the list of {}", self.label);
        if let Some((_, counter)) = counter {
            counter.fetch_add(1, Relaxed);
        }
    }
}

impl Sampled {
    fn new(buckets: impl IntoIterator<Item = f64>) -> Self {
        Self { histogram: Histogram::new(buckets), seen: AtomicU32::new(0) }
    }

    /// Whether it is time to look. The first one is always looked at.
    pub(crate) fn is_due(&self) -> bool {
        self.seen.fetch_add(1, Relaxed).is_multiple_of(EVERY)
    }

    /// Begins to measure how long something takes, if it is time to.
    pub(crate) fn start(&self) -> Option<Instant> {
        self.is_due().then(Instant::now)
    }

    pub(crate) fn stop(&self, started: Option<Instant>) {
        if let Some(started) = started {
            self.took(started.elapsed());
        }
    }

    pub(crate) fn took(&self, time: Duration) {
        self.histogram.observe(time.as_secs_f64());
    }

    pub(crate) fn saw(&self, number: usize) {
        if self.is_due() {
            self.histogram.observe(number as f64);
        }
    }
}

/// One socket that is open, for as long as this lives.
pub(crate) struct OpenSocket(Arc<Shared>);

impl OpenSocket {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.metrics.sockets_accepted.fetch_add(1, Relaxed);
        shared.metrics.sockets_open.fetch_add(1, Relaxed);
        Self(Arc::clone(shared))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.metrics.sockets_open.fetch_sub(1, Relaxed);
    }
}
