//! Two peers who must not notice anything.

use std::{pin::pin, time::Duration};

use tokio::time;

use crate::{client::Client, server::Server};

/// Two peers in a channel of their own, who exchange numbered messages.
pub(crate) struct Pair {
    ann: Client,
    bob: Client,
    exchanged: u64,
}

impl Pair {
    pub(crate) async fn join(server: &Server) -> Self {
        Self::of(server.client().await, server.client().await).await
    }

    /// These two.
    pub(crate) async fn of(mut ann: Client, mut bob: Client) -> Self {
        ann.join("of two").await;
        bob.join("of two").await;
        ann.expect("addPeer").await;
        Self { ann, bob, exchanged: 0 }
    }

    /// Lets the server hear of messages only that they live.
    pub(crate) fn answer_no_pings(&mut self) {
        self.ann.wire().no_pongs = true;
        self.bob.wire().no_pongs = true;
    }

    /// Sends a message to and fro, and hears nothing else.
    pub(crate) async fn exchange(&mut self) {
        let Self { ann, bob, exchanged } = self;
        *exchanged += 1;
        tell(ann, bob, *exchanged).await;
        tell(bob, ann, *exchanged).await;
        if exchanged.is_multiple_of(32) {
            ann.acknowledge().await;
            bob.acknowledge().await;
        }
    }

    /// Sends messages to and fro until something else is done, at least one of them.
    pub(crate) async fn exchange_while<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        let mut beat = time::interval(BEAT);
        loop {
            self.exchange().await;
            tokio::select! {
                done = &mut other => return done,
                _ = beat.tick() => {}
            }
        }
    }

    /// Ends both sessions, which have heard nothing else.
    pub(crate) async fn bye(self) {
        let Self { ann, mut bob, .. } = self;
        ann.bye().await;
        bob.expect("removePeer").await;
        bob.bye().await;
    }
}

/// As often as candidates come when a call is set up.
const BEAT: Duration = Duration::from_millis(25);

async fn tell(from: &mut Client, to: &mut Client, number: u64) {
    from.say(format!(r#"{{"type":"send","peer_id":"{}","data":{number}}}"#, to.peer)).await;
    let message = to.expect("message").await;
    assert_eq!((&message["peer_id"], &message["data"]), (&from.peer.as_str().into(), &number.into()));
}
