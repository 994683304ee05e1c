//! What the embedder can see.

use signal_core::{ChannelName, EndReason, PeerId};
use tokio::sync::broadcast;

/// Something that has happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A peer is there.
    Connected {
        /// Its id.
        peer: PeerId,
        /// What the policy has verified about it.
        identity: Option<Box<str>>,
    },
    /// A peer has a seat in a channel.
    Joined {
        /// Its id.
        peer: PeerId,
        /// Where.
        channel: ChannelName,
    },
    /// A peer has lost its seat in a channel.
    Parted {
        /// Its id.
        peer: PeerId,
        /// Where.
        channel: ChannelName,
        /// Why.
        reason: EndReason,
    },
    /// A peer is gone. A `Parted` has come before for each of its channels.
    Gone {
        /// Its id.
        peer: PeerId,
        /// Why.
        reason: EndReason,
    },
}

/// The events from the moment of [`Signaling::events`](crate::Signaling::events) on.
#[derive(Debug)]
pub struct Events(pub(crate) broadcast::Receiver<Event>);

/// So many events were thrown away because they were not read in time. The server never waits for its observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were missed")]
pub struct Missed(pub u64);

impl Events {
    /// Waits for the next event; `None` when the server is gone.
    ///
    /// # Errors
    ///
    /// [`Missed`] when the reader was too slow; the next call goes on with the oldest event that is left.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(broadcast::error::RecvError::Lagged(number)) => Some(Err(Missed(number))),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
