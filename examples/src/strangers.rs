//! Strangers: press start, be paired with whoever has waited longest, talk, go on to the next.
//!
//! ```text
//! cargo run --release --bin strangers
//! ```

use signal_axum::{ConfigError, Signaling};

use crate::{Arguments, System};

/// Serves `pages/strangers`.
pub const SYSTEM: System = System {
    name: "strangers",
    title: "Strangers",
    about: "Press start and talk to whoever has waited longest; press next for somebody else.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling().build()
}
