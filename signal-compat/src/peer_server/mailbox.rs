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

use super::Event;

/// Most letters for one peer: an offer and its candidates, twice.
const MOST_LETTERS: usize = 32;

/// Most bytes for one peer: an offer is of 3 to 20 KiB.
const MOST_BYTES: usize = 64 << 10;

/// Most peers for whom something is kept. With all that may be kept for each that is 64 MB.
const MOST_PEERS: usize = 1_000;

/// Most peers for whom something is kept of one sender, so that nobody alone takes the room of all.
const MOST_OF_ONE: usize = 16;

/// There is no room for the letter, and those that it belongs to are thrown away.
#[derive(Debug)]
pub(super) struct Full;

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
    text: Box<str>,
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
    pub(super) fn keep(self: &Arc<Self>, to: &PeerId, from: &PeerId, text: &str) -> Result<(), Full> {
        // Whoever sends is in a task of the runtime.
        let runtime = Handle::try_current().map_err(|_| Full)?;
        let is_first = self.lock().keep(to, from, text)?;
        if is_first {
            runtime.spawn(Arc::clone(self).expire(to.clone(), from.clone()));
        }
        Ok(())
    }

    /// All that is kept for a peer that has come, in the order in which it was sent.
    pub(super) fn take(&self, to: &PeerId) -> Vec<Box<str>> {
        self.lock().take(to)
    }

    /// Waits until the letters of one peer to another have been kept for long enough, and tells the sender.
    async fn expire(self: Arc<Self>, to: PeerId, from: PeerId) {
        // It is later when more has been sent since, and never if the peer has come.
        while let Some(due) = self.due(&to, &from) {
            if due <= Instant::now() {
                self.lock().forget(&to, &from);
                // The sender may be gone, too.
                let _ = self.signaling.send_to_peer(&from, &Event::expire(&to, &from));
                return;
            }
            sleep_until(due).await;
        }
    }

    fn due(&self, to: &PeerId, from: &PeerId) -> Option<Instant> {
        let kept = self.lock();
        let last = kept.boxes.get(to)?.letters.iter().rev().find(|letter| letter.from == *from)?;
        Some(last.sent + self.patience)
    }
}

impl Kept {
    /// Whether nothing was kept from one peer to the other before.
    fn keep(&mut self, to: &PeerId, from: &PeerId, text: &str) -> Result<bool, Full> {
        let (boxes, of_sender) = (self.boxes.len(), self.senders.get(from).copied().unwrap_or_default());
        let own = self.boxes.get(to);
        let is_first = own.is_none_or(|own| own.letters.iter().all(|letter| letter.from != *from));
        let has_room = own.map_or(boxes < MOST_PEERS && text.len() <= MOST_BYTES, |own| {
            own.letters.len() < MOST_LETTERS && own.bytes + text.len() <= MOST_BYTES
        });
        if !has_room || (is_first && of_sender >= MOST_OF_ONE) {
            self.forget(to, from);
            return Err(Full);
        }
        let own = self.boxes.entry(to.clone()).or_default();
        own.bytes += text.len();
        own.letters.push_back(Letter { from: from.clone(), text: text.into(), sent: Instant::now() });
        if is_first {
            *self.senders.entry(from.clone()).or_default() += 1;
        }
        Ok(is_first)
    }

    fn take(&mut self, to: &PeerId) -> Vec<Box<str>> {
        let own = self.boxes.remove(to).unwrap_or_default();
        for from in own.letters.iter().map(|letter| &letter.from).collect::<HashSet<_>>() {
            self.leave(from);
        }
        own.letters.into_iter().map(|letter| letter.text).collect()
    }

    /// Throws away what is kept from one peer to another.
    fn forget(&mut self, to: &PeerId, from: &PeerId) {
        let Some(own) = self.boxes.get_mut(to) else { return };
        let before = own.letters.len();
        own.letters.retain(|letter| letter.from != *from);
        own.bytes = own.letters.iter().map(|letter| letter.text.len()).sum();
        let (is_changed, is_empty) = (own.letters.len() < before, own.letters.is_empty());
        if is_empty {
            self.boxes.remove(to);
        }
        if is_changed {
            self.leave(from);
        }
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
