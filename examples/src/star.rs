//! Star: one person is live, many watch, and the next in line takes over.
//!
//! ```text
//! cargo run --release --bin star
//! ```

use signal_axum::{ConfigError, Signaling};

use crate::{Arguments, System};

/// Serves `pages/star`.
pub const SYSTEM: System = System {
    name: "star",
    title: "Broadcast",
    about: "One person is live and many watch; when the host leaves, the next in line takes over.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling().build()
}
