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
    /// Looks through all sessions for what must not be. After each input while there are few; with ten thousand of them after
    /// some dozens, as it would take longer than all the rest otherwise.
    pub(super) fn check(&mut self) {
        self.unchecked += 1;
        if self.unchecked * 256 >= self.sessions.len() {
            self.unchecked = 0;
            assert_eq!(self.counts(), self.recounted());
            self.check_turns();
        }
    }

    fn recounted(&self) -> Counts {
        let sessions = || self.sessions.iter().flatten();
        Counts {
            attached: sessions().filter(|session| session.is_live() && !session.is_detached()).count(),
            detached: sessions().filter(|session| session.is_detached()).count(),
            channels: self.channels().count(),
            pools: self.queues.len(),
            waiting: sessions().map(|session| session.searches.len()).sum(),
        }
    }
}
