//! Star: one person is live, many watch, and the next in line takes over.
//!
//! ```text
//! cargo run --release --bin star
//! ```
//!
//! In a star everybody meets the host and nobody else, so a viewer has one connection and not one for each other
//! viewer. When the host leaves, the longest-standing member that may be host follows. Who only watches never may:
//! that is what the policy decides here, by what the page says about itself.

use serde::Deserialize;
use signal_axum::{
    ChannelSettings, ConfigError, Hosting, JoinGrant, JoinRequest, PeerInfo, Policy, Refusal, Signaling,
    Topology, async_trait,
};

use crate::{Arguments, System};

/// Serves `pages/star`.
pub const SYSTEM: System = System {
    name: "star",
    title: "Broadcast",
    about: "One person is live and many watch; when the host leaves, the next in line takes over.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).policy(Stages).build()
}

/// Every channel is a stage.
struct Stages;

/// What the page says about who joins.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Userdata {
    watch: bool,
}

#[async_trait]
impl Policy for Stages {
    async fn join(&self, _: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        let settings = ChannelSettings { topology: Topology::Star, ..ChannelSettings::default() };
        let userdata = request.userdata.and_then(|json| serde_json::from_str::<Userdata>(json).ok());
        let hosting = if userdata.unwrap_or_default().watch { Hosting::Never } else { Hosting::Candidate };
        Ok(JoinGrant { settings, hosting })
    }
}
