//! Strangers: press start, be paired with whoever has waited longest, talk, go on to the next.
//!
//! ```text
//! cargo run --release --bin strangers
//! ```
//!
//! A page does not join a room here. It asks for a match in a pool, which is the topic that somebody wants to talk about,
//! and the server makes a channel for those who wait for the same. Who met last is not brought together again while others
//! may come. All of that is in the library; what is left to decide is how many meet, and how long somebody waits.

use std::time::Duration;

use signal_axum::{
    ChannelSettings, ConfigError, MatchGrant, MatchRequest, PeerInfo, Policy, Refusal, Signaling, async_trait,
};

use crate::{Arguments, System};

/// Serves `pages/strangers`.
pub const SYSTEM: System = System {
    name: "strangers",
    title: "Strangers",
    about: "Press start and talk to whoever has waited longest; press next for somebody else.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).policy(Tables).build()
}

/// Where more than two meet. The page offers it beside the topics.
const TABLE_FOR_THREE: &str = "table for three";

/// Then the page says that nobody came, and whether to go on is up to the user: a forgotten tab films nobody for hours.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// A pool for every topic, and everybody may wait in it.
struct Tables;

#[async_trait]
impl Policy for Tables {
    async fn matchmaking(&self, _: &PeerInfo, request: &MatchRequest<'_>) -> Result<MatchGrant, Refusal> {
        let capacity = if request.pool == TABLE_FOR_THREE { 3 } else { 2 };
        Ok(MatchGrant {
            settings: ChannelSettings { capacity, ..ChannelSettings::default() },
            patience: PATIENCE,
        })
    }
}
