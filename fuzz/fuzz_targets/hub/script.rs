//! The input, read as what happens. Letters, digits and capitals do, so that an input can be written by hand.

use signal_core::{ChannelSettings, EndReason, FirstOffer, Limits, Topology};

pub(crate) const PEERS: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
/// Peers of machines that are not played.
pub(crate) const FAR_PEERS: [&str; 2] = ["q0", "q1"];
/// Names of channels and of pools.
pub(crate) const NAMES: [&str; 4] = ["A", "B", "C", "D"];

const MOST_STEPS: usize = 300;

pub(crate) struct Script<'a> {
    bytes: &'a [u8],
    steps: usize,
}

impl<'a> Script<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, steps: 0 }
    }

    /// The letter of the next step.
    pub(crate) fn step(&mut self) -> Option<u8> {
        self.steps += 1;
        (!self.bytes.is_empty() && self.steps <= MOST_STEPS).then(|| b'a' + self.next(b'a') % 26)
    }

    /// How far the next byte is from `zero`. At the end all are zero.
    pub(crate) fn next(&mut self, zero: u8) -> u8 {
        let Some((byte, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        byte.wrapping_sub(zero)
    }

    /// Which one of so many.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::from(self.next(b'0')) % count.max(1)
    }

    pub(crate) fn peer(&mut self) -> usize {
        self.index(PEERS.len())
    }

    pub(crate) fn name(&mut self) -> &'static str {
        NAMES[usize::from(self.next(b'A')) % NAMES.len()]
    }

    pub(crate) fn text(&mut self) -> &'a str {
        let length = usize::from(self.next(b'0')).min(self.bytes.len());
        let (text, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        str::from_utf8(text).unwrap_or_default()
    }

    pub(crate) fn reason(&mut self) -> EndReason {
        EndReason::ALL[self.index(EndReason::ALL.len())]
    }
}

/// Small bounds, so that they are met.
pub(crate) fn limits() -> Limits {
    Limits {
        channels_per_peer: 3,
        members_per_channel: 4,
        channels: 6,
        pools: 3,
        waiting_messages: 3,
        malformed_frames: 6,
        ..Limits::default()
    }
}

pub(crate) fn settings(name: &str) -> ChannelSettings {
    let default = ChannelSettings { capacity: 4, ..ChannelSettings::default() };
    match name {
        "B" => ChannelSettings { capacity: 2, first_offer: FirstOffer::Resident, ..default },
        "C" => ChannelSettings { topology: Topology::Star, capacity: 3, ..default },
        "D" => ChannelSettings { topology: Topology::Unlisted, ..default },
        _ => default,
    }
}
