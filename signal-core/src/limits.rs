//! The bounds of the hub.

use std::time::Duration;

use crate::Topology;

/// The bounds that the hub keeps, each with its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most members of one channel, 64. A full mesh of n peers has n(n-1)/2 connections: 64 make 2,016.
    /// The capacity that a join asks for is cut to this.
    pub members_per_channel: usize,
    /// Most members of one channel in which nobody is introduced, 5,000: as many as PeerServer lets in. Its members are not
    /// told of each other, so there are no connections to count, but what is said to the channel goes to all.
    pub members_unlisted: usize,
    /// Most channels that one peer is in or waits for, 16, pools included. Every relay looks through them.
    pub channels_per_peer: usize,
    /// Most channels with members on this machine, 200,000. At about 1 KB for a small one that is 200 MB.
    pub channels: usize,
    /// Most pools on this machine in which somebody waits, 10,000: names come from peers.
    pub pools: usize,
    /// Most strangers of one pool who wait, 1,000, or as many as meet at a time if that is more: whoever comes looks
    /// through them. Where pairs meet, three wait at most.
    pub waiting_per_pool: usize,
    /// For how long a stranger who waits is not brought together with those whom it has met last, 3 s.
    pub rematch: Duration,
    /// Most messages of one session that wait for the decision on an earlier one, 16. Then its socket is not read.
    pub waiting_messages: usize,
    /// How long a session outlives its socket, 15 s: a phone that changes its network is back by then.
    pub grace: Duration,
    /// For how long after the server has started again seats in channels with a capacity below
    /// [`Limits::members_per_channel`] go to peers that had them before, 5 s: their calls go on, and nobody shall take
    /// their places. Others are seated when this time is over. In a star, who could become the host waits as long for the
    /// one that was it.
    pub returning: Duration,
    /// How long the policy may take to decide on a join or match, 5 s; then the peer is told `unavailable`.
    pub authorize_timeout: Duration,
    /// How long the log may take to commit an entry, 10 s; then the peer is told `unavailable`.
    pub commit_timeout: Duration,
    /// How many errors of form close the socket when they fall into [`Limits::malformed_window`], 20.
    pub malformed_frames: u32,
    /// The time in which errors of form add up, 10 s.
    pub malformed_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members_per_channel: 64,
            members_unlisted: 5_000,
            channels_per_peer: 16,
            channels: 200_000,
            pools: 10_000,
            waiting_per_pool: 1_000,
            rematch: Duration::from_secs(3),
            waiting_messages: 16,
            grace: Duration::from_secs(15),
            returning: Duration::from_secs(5),
            authorize_timeout: Duration::from_secs(5),
            commit_timeout: Duration::from_secs(10),
            malformed_frames: 20,
            malformed_window: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Most members of a channel of this topology.
    pub(crate) fn members_of(&self, topology: Topology) -> u32 {
        let most = match topology {
            Topology::Mesh | Topology::Star => self.members_per_channel,
            Topology::Unlisted => self.members_unlisted,
        };
        u32::try_from(most).unwrap_or(u32::MAX)
    }
}
