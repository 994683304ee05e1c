//! What holds for all that is a function of a log.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use signal_core::{Channel, ChannelSnapshot, Entry, Pool, PoolSnapshot, Position};

pub(crate) trait State: Clone + Debug + PartialEq {
    type Snapshot: Clone + Debug + PartialEq + Serialize + DeserializeOwned;

    fn restore(snapshot: Self::Snapshot) -> Self;
    fn store(&self) -> Self::Snapshot;
    fn apply(&mut self, position: Position, entry: Entry);
    /// Whom it is about, in order.
    fn peers(&self) -> Vec<&str>;
}

/// Restores what the text says, applies what follows, and stores it after each step.
pub(crate) fn check<S: State>(snapshot: &str, entries: &str) {
    let Ok(snapshot) = serde_json::from_str::<S::Snapshot>(snapshot) else { return };
    let mut state = S::restore(snapshot.clone());
    assert_eq!(state.store(), snapshot);
    check_storing(&state);
    // What one machine has applied in one go another has stored and restored in between.
    let mut other = state.clone();
    let mut last = None;
    for line in entries.lines() {
        let Ok((position, entry)) = serde_json::from_str::<(Position, Entry)>(line) else { continue };
        assert_eq!(again(&entry), entry);
        state.apply(position, entry.clone());
        other = S::restore(again(&other.store()));
        other.apply(position, entry.clone());
        assert_eq!(state, other);
        check_storing(&state);
        // What has been applied once has no effect again.
        state.apply(position, entry);
        assert_eq!(state, other);
        last = last.max(Some(position));
    }
    check_peers(&state, &snapshot, last);
}

fn check_storing<S: State>(state: &S) {
    let stored = state.store();
    assert_eq!(again(&stored), stored);
    assert_eq!(&S::restore(stored), state);
}

/// Nobody is there twice who was not before.
fn check_peers<S: State>(state: &S, snapshot: &S::Snapshot, last: Option<Position>) {
    let before = S::restore(snapshot.clone());
    let mut peers = state.peers();
    let mut peers_before = before.peers();
    assert!(last.is_some() || peers == peers_before);
    let doubled = |peers: &mut Vec<&str>| {
        peers.sort_unstable();
        peers.windows(2).filter(|two| two[0] == two[1]).count()
    };
    assert!(doubled(&mut peers) <= doubled(&mut peers_before));
}

/// Through its text.
fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it has a text");
    serde_json::from_str(&text).expect("what is written can be read")
}

impl State for Channel {
    type Snapshot = ChannelSnapshot;

    fn restore(snapshot: ChannelSnapshot) -> Self {
        Self::from_snapshot(snapshot)
    }

    fn store(&self) -> ChannelSnapshot {
        self.snapshot()
    }

    fn apply(&mut self, position: Position, entry: Entry) {
        let (before, peer) = (self.clone(), entry.peer().clone());
        let is_changed = self.replay(position, entry);
        let same = self.members() == before.members() && self.host() == before.host();
        // Userdata may be replaced by the same.
        assert!(is_changed || same, "{peer}");
        assert!(self.members().len() <= before.members().len().max(self.settings().capacity as usize));
    }

    fn peers(&self) -> Vec<&str> {
        self.members().iter().map(|member| member.peer.as_str()).collect()
    }
}

impl State for Pool {
    type Snapshot = PoolSnapshot;

    fn restore(snapshot: PoolSnapshot) -> Self {
        Self::from_snapshot(snapshot)
    }

    fn store(&self) -> PoolSnapshot {
        self.snapshot()
    }

    fn apply(&mut self, position: Position, entry: Entry) {
        let before = self.tickets().len();
        let room = self.replay(position, entry);
        assert!(room.is_none() || self.tickets().len() <= before);
    }

    fn peers(&self) -> Vec<&str> {
        self.tickets().iter().map(|ticket| ticket.peer.as_str()).collect()
    }
}
