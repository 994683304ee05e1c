//! Group chat with channels: one connection to the server, any number of channels.
//!
//! ```text
//! cargo run --release --bin group
//! ```
//!
//! Two people who share several channels have one connection between them. It is kept until they share none, which is
//! the client's doing; the server introduces them once for each channel and says when each introduction ends.

use signal_axum::{ConfigError, Signaling};

use crate::{Arguments, System, meeting::OpenRooms};

/// Serves `pages/group`.
pub const SYSTEM: System = System {
    name: "group",
    title: "Group call",
    about: "Join any number of rooms at once, and talk to everybody who is in one with you.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).policy(OpenRooms { capacity: arguments.capacity }).build()
}
