//! What a seed decides before anything happens.

use std::time::Duration;

use signal_core::{ChannelSettings, FirstOffer, Topology};

use crate::tests::dice::Dice;

/// Most members of a channel whose capacity nobody has set.
pub(super) const MEMBERS: usize = 8;

pub(super) const CHANNELS: [&str; 4] = ["room", "duo", "trio", "stage"];
pub(super) const POOL: &str = "pool";

/// How one run goes.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) clients: usize,
    /// How long something happens.
    pub(super) busy: Duration,
    /// The longest pause between two acts of one client.
    pub(super) pause: u64,
    pub(super) grace: Duration,
    pub(super) returning: Duration,
    pub(super) outbox: usize,
    pub(super) log_is_slow: bool,
    pub(super) policy_is_slow: bool,
    /// The server knows tokens of its earlier lives.
    pub(super) has_keys: bool,
    /// The longest pause between two faults.
    pub(super) calm: u64,
    pub(super) restarts: bool,
}

impl Plan {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            clients: dice.pick(&[3, 4, 4, 5, 6]),
            busy: dice.millis(10_000, 25_000),
            pause: dice.pick(&[500, 1_500, 3_000]),
            grace: dice.millis(3_000, 8_000),
            returning: Duration::from_secs(3),
            outbox: if dice.percent(15) { 40 } else { 1024 },
            log_is_slow: dice.percent(40),
            policy_is_slow: dice.percent(30),
            has_keys: dice.percent(60),
            calm: dice.pick(&[400, 1_500, 6_000]),
            restarts: dice.percent(40),
        }
    }
}

pub(super) fn settings(channel: &str) -> ChannelSettings {
    let default = ChannelSettings::default();
    match channel {
        "duo" => ChannelSettings { capacity: 2, ..default },
        "trio" => ChannelSettings { capacity: 3, first_offer: FirstOffer::Resident, ..default },
        "stage" => ChannelSettings { topology: Topology::Star, ..default },
        _ => default,
    }
}

pub(super) fn capacity(channel: &str) -> usize {
    if channel.starts_with('~') { 2 } else { MEMBERS.min(settings(channel).capacity as usize) }
}
