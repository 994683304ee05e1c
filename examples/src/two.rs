//! A room for two: the third is told that it is full, also when ten come at the same instant.
//!
//! ```text
//! cargo run --release --bin two
//! ```
//!
//! The core counts the seats when it seats somebody, so that there is no moment between looking and sitting down. A
//! seat whose socket is lost stays taken for the grace time: a dead spot in the underground does not lose it. Who leaves
//! or reloads gives it up, and may find the room full.

use signal_axum::{
    ChannelSettings, ConfigError, FirstOffer, JoinGrant, JoinRequest, PeerInfo, Policy, Refusal, Signaling,
    async_trait,
};

use crate::{Arguments, System};

/// Serves `pages/two`.
pub const SYSTEM: System = System {
    name: "two",
    title: "A room for two",
    about: "A call between two people, and never a third.",
    signaling,
};

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).policy(RoomsForTwo).build()
}

/// Two seats in every room. Who was there first makes the offer when the second is ready.
struct RoomsForTwo;

#[async_trait]
impl Policy for RoomsForTwo {
    async fn join(&self, _: &PeerInfo, _: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        let settings =
            ChannelSettings { capacity: 2, first_offer: FirstOffer::Resident, ..ChannelSettings::default() };
        Ok(JoinGrant { settings, ..JoinGrant::default() })
    }
}
