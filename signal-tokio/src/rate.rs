//! How much a client may send.

use std::time::{Duration, Instant};

use crate::ConfigError;

/// How much a client may send, in messages and in bytes.
///
/// Over its rate a socket is not read until there is budget again, so that nothing is lost and TCP slows the client
/// down. One that stays over it for [`patience`](Self::patience) is closed with 4013, and its session ends. All that
/// arrives is charged: messages, also malformed ones, acknowledgements, and pings of WebSocket. The budget belongs to the
/// session, so that a new socket brings no new burst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Messages a second, 50: a call that is up needs few, and a conversation typed by hand fewer.
    pub messages: u32,
    /// How many messages may come at once after a pause, 200: four seconds of them.
    pub burst: u32,
    /// Bytes of messages a second, 256 KiB: eight descriptions of the largest size.
    pub bytes: u32,
    /// How many bytes may come at once after a pause, 1 MiB: four seconds of them, as with messages.
    pub burst_bytes: u32,
    /// How many messages each introduction adds, on top of the burst, 64: an offer or answer, its candidates, and a
    /// second try.
    pub introduction_messages: u32,
    /// How many bytes each introduction adds, on top of the burst, 64 KiB.
    pub introduction_bytes: u32,
    /// How many introductions at once add something, 1,024: as many as 16 full channels of 64 bring.
    pub introductions: u32,
    /// How many more introductions a second add something, 5. Who joins and parts all the time would have no rate
    /// otherwise.
    pub introductions_per_second: u32,
    /// How long a socket may be over its rate without a break, 10 s. A break is a fifth of a second that it leaves unused.
    pub patience: Duration,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            messages: 50,
            burst: 200,
            bytes: 256 << 10,
            burst_bytes: 1 << 20,
            introduction_messages: 64,
            introduction_bytes: 64 << 10,
            introductions: 1_024,
            introductions_per_second: 5,
            patience: Duration::from_secs(10),
        }
    }
}

impl Rates {
    /// As much as a client can send, such as for one that the embedder runs itself.
    #[must_use]
    pub fn unlimited() -> Self {
        let most = u32::MAX;
        Self { messages: most, burst: most, bytes: most, burst_bytes: most, ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            (self.messages, "the number of messages a second"),
            (self.burst, "the number of messages at once"),
            (self.bytes, "the number of bytes a second"),
            (self.burst_bytes, "the number of bytes at once"),
        ];
        bounds
            .into_iter()
            .find(|(bound, _)| *bound == 0)
            .map_or(Ok(()), |(_, name)| Err(ConfigError::Zero(name)))
    }
}

/// What has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) messages: u32,
    pub(crate) bytes: usize,
}

impl Cost {
    pub(crate) fn message(bytes: usize) -> Self {
        Self { messages: 1, bytes }
    }
}

/// Whether a socket is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Read,
    /// Not before this moment.
    Wait(Instant),
    /// It has been over its rate for too long.
    Over,
}

/// So much unused budget, in seconds of it, is a break. More than a busy machine adds by waking a task late.
const BREAK: f64 = 0.2;

/// What a session may still send.
#[derive(Debug)]
pub(crate) struct Budget {
    messages: f64,
    bytes: f64,
    introductions: f64,
    filled: Instant,
    over_since: Option<Instant>,
}

impl Budget {
    pub(crate) fn full(rates: &Rates, now: Instant) -> Self {
        Self {
            messages: rates.burst.into(),
            bytes: rates.burst_bytes.into(),
            introductions: rates.introductions.into(),
            filled: now,
            over_since: None,
        }
    }

    /// Charges what has arrived, if anything, and says whether more is read.
    pub(crate) fn pay(&mut self, rates: &Rates, cost: Cost, now: Instant) -> Pace {
        self.fill(rates, now);
        if self.has_a_break(rates) {
            self.over_since = None;
        }
        self.messages -= f64::from(cost.messages);
        self.bytes -= cost.bytes as f64;
        // The size of the next message is not known before it is read, so it may overdraw the bytes.
        let missing = [(1.0 - self.messages, rates.messages), (-self.bytes, rates.bytes)];
        let wait = missing.map(|(missing, rate)| missing / f64::from(rate)).into_iter().fold(0.0, f64::max);
        if wait <= 0.0 {
            return Pace::Read;
        }
        let over_since = *self.over_since.get_or_insert(now);
        if now.saturating_duration_since(over_since) >= rates.patience {
            return Pace::Over;
        }
        Pace::Wait(now + Duration::from_secs_f64(wait))
    }

    /// The session is told of a peer, and will have something to say to it.
    pub(crate) fn introduce(&mut self, rates: &Rates, now: Instant) {
        self.fill(rates, now);
        if self.introductions >= 1.0 {
            self.introductions -= 1.0;
            let levels = [
                (&mut self.messages, rates.introduction_messages, rates.burst),
                (&mut self.bytes, rates.introduction_bytes, rates.burst_bytes),
            ];
            for (level, added, full) in levels {
                // Whoever says nothing does not save up without end.
                let most = f64::from(full) + f64::from(rates.introductions) * f64::from(added);
                *level = (*level + f64::from(added)).min(most.max(*level));
            }
        }
    }

    fn fill(&mut self, rates: &Rates, now: Instant) {
        // A newcomer is introduced to all at once.
        if now == self.filled {
            return;
        }
        let seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        let levels = [
            (&mut self.messages, rates.messages, rates.burst),
            (&mut self.bytes, rates.bytes, rates.burst_bytes),
            (&mut self.introductions, rates.introductions_per_second, rates.introductions),
        ];
        for (level, rate, full) in levels {
            // What introductions have added on top stays.
            let full = f64::from(full).max(*level);
            *level = (*level + seconds * f64::from(rate)).min(full);
        }
    }

    fn has_a_break(&self, rates: &Rates) -> bool {
        let messages = (1.0 + BREAK * f64::from(rates.messages)).min(rates.burst.into());
        let bytes = (BREAK * f64::from(rates.bytes)).min(rates.burst_bytes.into());
        self.messages >= messages && self.bytes >= bytes
    }
}

#[cfg(test)]
mod tests;
