//! How much there is, without looking through it.

use super::Hub;

/// How much a hub has to do with at the moment. Kept up to date, so that reading it costs nothing however many there
/// are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that a socket carries.
    pub attached: usize,
    /// Sessions that wait for a socket, within their grace time.
    pub detached: usize,
    /// Channels with members.
    pub channels: usize,
    /// Pools in which somebody waits.
    pub pools: usize,
    /// Strangers who wait, once for each pool.
    pub waiting: usize,
}

impl Hub {
    /// How many sessions, channels and strangers there are. It takes the same short time for any number.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { channels: self.rooms.len(), pools: self.queues.len(), ..self.counts }
    }
}

#[cfg(any(test, fuzzing))]
impl Hub {
    pub(super) fn recounted(&self) -> Counts {
        let counts =
            Counts { channels: self.channels().count(), pools: self.queues.len(), ..Counts::default() };
        self.sessions.iter().flatten().fold(counts, |mut counts, session| {
            counts.detached += usize::from(session.is_detached());
            counts.attached += usize::from(session.is_live() && !session.is_detached());
            counts.waiting += session.searches.len();
            counts
        })
    }
}
