//! What the servers are put to. Each workload verifies every message that it causes.

pub(crate) mod brim;
mod call;
mod churn;
mod company;
mod crowd;
mod gather;
mod idle;
mod meeting;
mod relay;
mod slow;
mod storm;

use std::time::Duration;

use signal_axum::{Limits, Rates};

use crate::{
    Result,
    report::Figure,
    rivals::Rival,
    server::{Kind, Server, Setup},
};

/// One thing to measure, with its sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Workload {
    /// Connections in channels of two that do nothing, then make one call each.
    Idle { connections: usize },
    /// So many calls, 16 at once, each over two connections of its own.
    Call { calls: usize },
    /// The same over connections that stay in channels of two.
    Persistent { pairs: usize, calls: usize },
    /// Pairs that send each other candidates as fast as it goes.
    Relay { pairs: usize, time: Duration },
    /// Pairs that send each other candidates, so many a second in all, whether the server follows or not.
    Paced { pairs: usize, rate: u32, time: Duration },
    /// Peers that join one channel at once.
    Storm { members: usize, times: usize },
    /// A few clients that join and part so many channels, each once.
    Churn { channels: u32 },
    /// What [`Workload::Paced`] is, while others are connected, so many in all, that do nothing.
    Crowd { connections: usize, pairs: usize, rate: u32, time: Duration },
    /// What [`Workload::Paced`] is, by pairs of members of larger channels, and of several at once.
    Company { members: usize, channels: usize, rate: u32, time: Duration },
    /// Members that send to all in their channels. So many messages a second arrive.
    Broadcast { members: usize, rate: u32, time: Duration },
    /// What [`Workload::Paced`] is, while so many clients do not read what is sent to them.
    Slow { readers: usize, pairs: usize, rate: u32, time: Duration },
}

impl Workload {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Idle { connections } => format!("idle, {connections} connections"),
            Self::Call { .. } => "call, fresh connections".to_owned(),
            Self::Persistent { pairs, .. } => format!("call, persistent, {pairs} pairs"),
            Self::Relay { pairs, .. } => format!("relay, {pairs} pairs"),
            Self::Paced { pairs, rate, .. } => format!("paced, {pairs} pairs, {rate}/s"),
            Self::Storm { members, .. } => format!("storm of {members}"),
            Self::Churn { channels } => format!("churn, {channels} channels"),
            Self::Slow { readers, .. } => format!("slow, {readers} readers"),
            Self::Crowd { connections, .. } => format!("crowd of {connections}"),
            Self::Company { members, channels, .. } => format!("company of {members}, {channels} times"),
            Self::Broadcast { members, .. } => format!("broadcast to channels of {members}"),
        }
    }

    pub(crate) fn is_for(self, kind: Kind) -> bool {
        match self {
            Self::Churn { .. } | Self::Slow { .. } => matches!(kind, Kind::Ours(_)),
            Self::Company { .. } | Self::Broadcast { .. } => matches!(kind, Kind::Ours(_)),
            Self::Storm { .. } => kind != Kind::Rival(Rival::PeerServer),
            Self::Idle { .. } | Self::Call { .. } | Self::Persistent { .. } => true,
            Self::Relay { .. } | Self::Paced { .. } | Self::Crowd { .. } => true,
        }
    }

    /// How many sockets are open at once.
    pub(crate) fn connections(self) -> usize {
        match self {
            Self::Idle { connections } | Self::Crowd { connections, .. } => connections,
            Self::Call { .. } => 2 * call::AT_ONCE,
            Self::Persistent { pairs, .. } | Self::Relay { pairs, .. } | Self::Paced { pairs, .. } => {
                2 * pairs
            }
            Self::Storm { members, times } => members * times,
            Self::Churn { .. } => churn::CLIENTS,
            Self::Company { .. } | Self::Broadcast { .. } => company::CLIENTS,
            Self::Slow { readers, pairs, .. } => 2 * (readers + pairs),
        }
    }

    /// About how long it takes, for those who wait.
    pub(crate) fn takes(self, kind: Kind) -> Duration {
        let settling = Duration::from_secs(3);
        match self {
            // What is left of sessions of ours is waited for.
            Self::Idle { connections } => {
                let grace = if kind.is_ours() { Limits::default().grace } else { Duration::ZERO };
                grace + 2 * settling + Duration::from_secs(connections as u64) / 2_000
            }
            Self::Call { calls } | Self::Persistent { calls, .. } => {
                settling + Duration::from_secs(calls as u64) / 1_000
            }
            Self::Relay { time, .. } | Self::Paced { time, .. } | Self::Broadcast { time, .. } => {
                time + settling
            }
            Self::Crowd { connections, time, .. } => {
                2 * (time + settling) + Duration::from_secs(connections as u64) / 2_000
            }
            Self::Company { channels, time, .. } => time + settling * (1 + channels as u32),
            Self::Storm { times, .. } => settling * times as u32,
            Self::Churn { channels } => {
                Limits::default().grace + Duration::from_secs(channels.into()) / 20_000
            }
            Self::Slow { time, .. } => 2 * time + settling,
        }
    }

    /// What a server needs that has this to do: no bound is raised but where its default would be in the way.
    pub(crate) fn setup(self) -> Setup {
        let most = Limits::default().members_per_channel;
        let members_per_channel = match self {
            Self::Storm { members, .. } | Self::Company { members, .. } | Self::Broadcast { members, .. } => {
                Some(members).filter(|members| *members > most)
            }
            Self::Idle { .. } | Self::Call { .. } | Self::Persistent { .. } | Self::Relay { .. } => None,
            Self::Paced { .. } | Self::Churn { .. } | Self::Slow { .. } | Self::Crowd { .. } => None,
        };
        Setup { members_per_channel, unlimited: self.is_beyond(&Rates::default()), ..Setup::default() }
    }

    /// Whether its clients send more than that.
    fn is_beyond(self, rates: &Rates) -> bool {
        match self {
            // One call each, and a few introductions.
            Self::Idle { .. } | Self::Call { .. } | Self::Storm { .. } => false,
            Self::Persistent { pairs, calls } => call::most_messages(pairs, calls) > rates.burst as usize,
            Self::Paced { pairs, rate, .. } | Self::Crowd { pairs, rate, .. } => {
                relay::is_beyond(rates, pairs, rate)
            }
            Self::Company { rate, .. } => relay::is_beyond(rates, company::CLIENTS / 2, rate),
            Self::Broadcast { members, rate, .. } => company::is_beyond(rates, members, rate),
            // As fast as it goes, or in large messages.
            Self::Relay { .. } | Self::Churn { .. } | Self::Slow { .. } => true,
        }
    }

    pub(crate) fn run(self, server: &Server) -> Result<Vec<Figure>> {
        match self {
            Self::Idle { connections } => idle::run(server, connections),
            Self::Call { calls } => call::fresh(server, calls),
            Self::Persistent { pairs, calls } => call::persistent(server, pairs, calls),
            Self::Relay { pairs, time } => relay::closed(server, pairs, time),
            Self::Paced { pairs, rate, time } => relay::paced(server, pairs, relay::Pace { rate, time }),
            Self::Storm { members, times } => storm::run(server, members, times),
            Self::Churn { channels } => churn::run(server, channels),
            Self::Slow { readers, pairs, rate, time } => slow::run(server, readers, pairs, (rate, time)),
            Self::Crowd { connections, pairs, rate, time } => {
                crowd::run(server, connections, pairs, relay::Pace { rate, time })
            }
            Self::Company { members, channels, rate, time } => {
                company::relay(server, members, channels, relay::Pace { rate, time })
            }
            Self::Broadcast { members, rate, time } => {
                company::broadcast(server, members, relay::Pace { rate, time })
            }
        }
    }
}

/// How long to wait for messages before looking at the clock again.
const GLANCE: Duration = Duration::from_millis(100);

fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bound_is_raised_without_need() {
        let time = Duration::from_secs(3);
        let slow = [
            Workload::Idle { connections: 10_000 },
            Workload::Call { calls: 2000 },
            Workload::Persistent { pairs: 200, calls: 2000 },
            Workload::Paced { pairs: 200, rate: 10_000, time },
            Workload::Storm { members: 64, times: 1 },
        ];
        for workload in slow {
            assert_eq!(workload.setup(), Setup::default(), "{workload:?}");
        }
        let fast = [
            Workload::Persistent { pairs: 20, calls: 2000 },
            Workload::Paced { pairs: 20, rate: 10_000, time },
            Workload::Relay { pairs: 200, time },
        ];
        assert!(fast.iter().all(|workload| workload.setup().unlimited));
        assert_eq!(Workload::Storm { members: 65, times: 1 }.setup().members_per_channel, Some(65));
    }
}
