//! A meeting room: people see who comes and goes, who is muted, has a hand up, shows a screen or writes.
//!
//! ```text
//! cargo run --release --bin meeting
//! ```
//!
//! The server only knows rooms and who is in them. Names and raised hands are userdata, which late joiners get too;
//! chat and files go from browser to browser. So all that is left to decide here is how many fit into a room.

use axum::http::request::Parts;
use signal_axum::{
    Admission, ChannelSettings, ConfigError, JoinGrant, JoinRequest, PeerInfo, Policy, Refusal, Signaling,
    async_trait,
};

use crate::{Arguments, System};

/// Serves `pages/meeting`.
pub const SYSTEM: System = System {
    name: "meeting",
    title: "Meeting room",
    about: "Named rooms with chat, files, raised hands and shared screens.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).policy(OpenRooms { capacity: arguments.capacity }).build()
}

/// Everybody may join every room, until it is full.
pub(crate) struct OpenRooms {
    pub(crate) capacity: u32,
}

#[async_trait]
impl Policy for OpenRooms {
    /// A client of another server comes by a route of its own, and finds the same rooms.
    async fn guest(&self, _: &str, _: &Parts) -> Result<Admission, Refusal> {
        Ok(Admission::default())
    }

    async fn join(&self, _: &PeerInfo, _: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        let settings = ChannelSettings { capacity: self.capacity, ..ChannelSettings::default() };
        Ok(JoinGrant { settings, ..JoinGrant::default() })
    }
}
