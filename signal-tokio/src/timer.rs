//! The task that tells the hub when its time has come.

use std::sync::{Arc, Weak, atomic::Ordering};

use signal_core::Input;
use tokio::time;

use crate::driver::Shared;

/// Starts the task unless it runs. It ends with the server.
pub(crate) fn start(shared: &Arc<Shared>) {
    if !shared.timer_runs.swap(true, Ordering::Relaxed) {
        tokio::spawn(run(Arc::downgrade(shared)));
    }
}

async fn run(server: Weak<Shared>) {
    while let Some(shared) = server.upgrade() {
        let (timer, deadline) = (Arc::clone(&shared.timer), shared.lock().rearm());
        drop(shared);
        let Some(deadline) = deadline else {
            timer.notified().await;
            continue;
        };
        tokio::select! {
            // What is due goes first. The next deadline is later, so this cannot go on for ever.
            biased;
            () = time::sleep_until(deadline.into()) => {
                if let Some(shared) = server.upgrade() {
                    // In a task of its own: the embedder's policy may be asked, and may panic.
                    let _ = tokio::spawn(async move { shared.handle(Input::Timeout) }).await;
                }
            }
            () = timer.notified() => {}
        }
    }
}
