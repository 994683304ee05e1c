//! What is sent to a peer that is not there yet: it is kept for a while, and the sender is told if the peer does not come.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use signal_axum::{PeerId, Signaling};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

use super::{Event, id_of};

/// Most letters for one peer: an offer and its candidates, twice.
const MOST_LETTERS: usize = 32;

/// Most bytes for one peer: an offer is of 3 to 20 KiB.
const MOST_BYTES: usize = 64 << 10;

/// Most peers for whom something is kept. With all that may be kept for each that is 64 MB.
const MOST_PEERS: usize = 1_000;

/// Most peers for whom something is kept of one sender, so that nobody alone takes the room of all.
const MOST_OF_ONE: usize = 16;

/// What becomes of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is kept.
    Kept,
    /// There is no room for it, and those of the same sender that it belongs to are thrown away.
    Full,
    /// It belongs to some that were thrown away.
    TooLate,
}

/// Locked while the state of the whole server is, so it must not call it while it is locked.
pub(super) struct Mailbox {
    signaling: Signaling,
    /// How long a letter is kept after the last one of the same sender to the same peer.
    patience: Duration,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By who shall get it.
    boxes: HashMap<PeerId, Letters>,
    /// In how many of them there is something of each sender.
    senders: HashMap<PeerId, usize>,
}

/// What is kept for one peer.
#[derive(Default)]
struct Letters {
    letters: VecDeque<Letter>,
    bytes: usize,
}

struct Letter {
    from: PeerId,
    /// Nothing: there was no room for what this sender has sent, and it has been told.
    text: Option<Box<str>>,
    sent: Instant,
}

impl Mailbox {
    pub(super) fn new(signaling: &Signaling, patience: Duration) -> Self {
        Self { signaling: signaling.clone(), patience, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a letter from one peer to another.
    pub(super) fn keep(self: &Arc<Self>, to: &PeerId, from: &PeerId, text: &str) -> Outcome {
        // Whoever sends is in a task of the runtime.
        let Ok(runtime) = Handle::try_current() else { return Outcome::Full };
        let (outcome, is_first) = self.lock().keep(to, from, text);
        if is_first {
            runtime.spawn(Arc::clone(self).expire(to.clone(), from.clone()));
        }
        outcome
    }

    /// All that is kept for a peer that has come, in the order in which it was sent.
    pub(super) fn take(&self, to: &PeerId) -> Vec<Box<str>> {
        self.lock().take(to)
    }

    /// Waits until the letters of one peer to another have been kept for long enough, and tells the sender.
    async fn expire(self: Arc<Self>, to: PeerId, from: PeerId) {
        // It is later when more has been sent since, and never if the peer has come.
        while let Some(due) = self.due(&to, &from) {
            if due > Instant::now() {
                sleep_until(due).await;
            } else if self.lock().forget(&to, &from) {
                // The sender may be gone, too.
                let event = Event::Expire { src: &id_of(&to), dst: &id_of(&from) };
                let _ = self.signaling.send_to_peer(&from, &event);
            }
        }
    }

    fn due(&self, to: &PeerId, from: &PeerId) -> Option<Instant> {
        let kept = self.lock();
        let last = kept.boxes.get(to)?.letters.iter().rev().find(|letter| letter.from == *from)?;
        Some(last.sent + self.patience)
    }
}

impl Letters {
    /// All of one sender.
    fn remove(&mut self, from: &PeerId) -> Vec<Letter> {
        let (removed, rest): (Vec<_>, Vec<_>) =
            self.letters.drain(..).partition(|letter| letter.from == *from);
        self.letters = rest.into();
        self.bytes = self.letters.iter().flat_map(|letter| &letter.text).map(|text| text.len()).sum();
        removed
    }
}

impl Kept {
    /// What becomes of a letter, and whether nothing was kept from one peer to the other before.
    fn keep(&mut self, to: &PeerId, from: &PeerId, text: &str) -> (Outcome, bool) {
        let (boxes, of_sender) = (self.boxes.len(), self.senders.get(from).copied().unwrap_or_default());
        let own = self.boxes.get_mut(to);
        let before =
            own.as_ref().and_then(|own| own.letters.iter().rev().find(|letter| letter.from == *from));
        let (is_first, is_refused) = (before.is_none(), before.is_some_and(|letter| letter.text.is_none()));
        if is_refused {
            return (Outcome::TooLate, false);
        }
        let has_room = own.as_ref().map_or(boxes < MOST_PEERS && text.len() <= MOST_BYTES, |own| {
            own.letters.len() < MOST_LETTERS && own.bytes + text.len() <= MOST_BYTES
        });
        let letter = |text| Letter { from: from.clone(), text, sent: Instant::now() };
        match own {
            _ if is_first && (!has_room || of_sender >= MOST_OF_ONE) => return (Outcome::Full, false),
            Some(own) if !has_room => {
                own.remove(from);
                own.letters.push_back(letter(None));
                return (Outcome::Full, false);
            }
            _ => {}
        }
        let own = self.boxes.entry(to.clone()).or_default();
        own.bytes += text.len();
        own.letters.push_back(letter(Some(text.into())));
        if is_first {
            *self.senders.entry(from.clone()).or_default() += 1;
        }
        (Outcome::Kept, is_first)
    }

    fn take(&mut self, to: &PeerId) -> Vec<Box<str>> {
        let own = self.boxes.remove(to).unwrap_or_default();
        for from in own.letters.iter().map(|letter| &letter.from).collect::<HashSet<_>>() {
            self.leave(from);
        }
        own.letters.into_iter().filter_map(|letter| letter.text).collect()
    }

    /// Throws away what is kept from one peer to another. Whether the sender is still to be told.
    fn forget(&mut self, to: &PeerId, from: &PeerId) -> bool {
        let Some(own) = self.boxes.get_mut(to) else { return false };
        let removed = own.remove(from);
        if own.letters.is_empty() {
            self.boxes.remove(to);
        }
        if !removed.is_empty() {
            self.leave(from);
        }
        removed.iter().any(|letter| letter.text.is_some())
    }

    /// In one box there is nothing of this sender any more.
    fn leave(&mut self, from: &PeerId) {
        if let Some(number) = self.senders.get_mut(from) {
            *number -= 1;
            if *number == 0 {
                self.senders.remove(from);
            }
        }
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("boxes", &self.lock().boxes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{task::yield_now, time::advance};

    use super::*;

    fn mailbox() -> (Arc<Mailbox>, PeerId, PeerId) {
        let signaling = Signaling::builder().build().unwrap();
        let mailbox = Arc::new(Mailbox::new(&signaling, Duration::from_secs(5)));
        (mailbox, PeerId::new("to").unwrap(), PeerId::new("from").unwrap())
    }

    async fn pass(millis: u64) {
        // So that those who wait have set their timers before, and have run after.
        for _ in 0..3 {
            yield_now().await;
        }
        advance(Duration::from_millis(millis)).await;
        for _ in 0..3 {
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_letter_has_its_whole_time_and_those_before_it_wait_for_it() {
        let (mailbox, to, from) = mailbox();
        assert_eq!(mailbox.keep(&to, &from, "offer"), Outcome::Kept);
        pass(4_800).await;
        assert_eq!(mailbox.keep(&to, &from, "candidate"), Outcome::Kept);
        pass(4_900).await;
        assert_eq!(mailbox.take(&to), ["offer".into(), "candidate".into()]);
        assert_eq!(mailbox.keep(&to, &from, "again"), Outcome::Kept);
        pass(5_100).await;
        assert_eq!(mailbox.take(&to), []);
        let kept = mailbox.lock();
        assert!(kept.boxes.is_empty() && kept.senders.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_belongs_to_something_that_was_thrown_away_is_not_kept_until_that_is_forgotten() {
        let (mailbox, to, from) = mailbox();
        for _ in 0..MOST_LETTERS {
            assert_eq!(mailbox.keep(&to, &from, "candidate"), Outcome::Kept);
        }
        assert_eq!(mailbox.keep(&to, &from, "candidate"), Outcome::Full);
        assert_eq!(mailbox.keep(&to, &from, "candidate"), Outcome::TooLate);
        let other = PeerId::new("other").unwrap();
        assert_eq!(mailbox.keep(&to, &other, "offer"), Outcome::Kept, "others have room again");
        pass(5_100).await;
        assert_eq!(mailbox.keep(&to, &from, "offer"), Outcome::Kept);
        assert_eq!(mailbox.take(&to), ["offer".into()]);
        let kept = mailbox.lock();
        assert!(kept.boxes.is_empty() && kept.senders.is_empty());
    }
}
