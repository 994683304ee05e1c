//! What the fuzz target of guests reaches that nobody else does: this module is there with `--cfg fuzzing` only.

use std::{sync::Arc, time::Duration};

use signal_axum::{Dialect, FrameLimits, Signaling, Topology};

use crate::{matchbox, peer_server, rooms, socket_io, y_webrtc};

/// All of them.
#[must_use]
pub fn dialects() -> Vec<Arc<dyn Dialect>> {
    let signaling = Signaling::builder().build().expect("the defaults are right");
    vec![
        Arc::new(matchbox::Words { topology: Topology::Mesh }),
        Arc::new(peer_server::Words::new(&signaling, Duration::ZERO)),
        Arc::new(rooms::Words),
        Arc::new(socket_io::Words { meets_native: true, limits: FrameLimits::default() }),
        Arc::new(y_webrtc::Words),
    ]
}
