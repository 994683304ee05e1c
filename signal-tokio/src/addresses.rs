//! Where clients come from, and how many sockets may come from there.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore,
};
use http::HeaderMap;
use ipnet::IpNet;
use tokio::time::Instant;

use crate::{Admission, ConfigError, Guest, Refusal};

/// How many sockets and sessions there may be. `usize::MAX` and `u32::MAX` switch a bound off.
///
/// An address is an IPv4 address, or the first 64 bits of an IPv6 address: a household has all of the rest. Addresses of
/// the loopback interface are not counted one by one, since a proxy on the same machine would be taken for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// Of the whole server, 100,000: with 10 KB for each that does nothing, that is 1 GB. Beyond it an upgrade is answered
    /// with 503.
    pub all: usize,
    /// Sessions of the whole server, those included that wait for a socket, 200,000: within the grace time all clients
    /// may come a second time without what they had. Beyond it a `hello` that needs a new one is answered `unavailable` and
    /// closed with 4002; who has a session gets it back.
    pub sessions: usize,
    /// From one address, 1,000: a school or a company may come from one. Beyond it an upgrade is answered with 429.
    pub per_address: usize,
    /// How many new ones a second may come from one address, 200. Beyond it an upgrade is answered with 429.
    pub new_per_second: u32,
    /// How many may come at once after a pause, 1,000: all of an address come back at once when its network does.
    pub burst: u32,
    /// Whether the bounds of one address hold for the loopback interface, too. They do not if it is not set.
    pub loopback: bool,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            all: 100_000,
            sessions: 200_000,
            per_address: 1_000,
            new_per_second: 200,
            burst: 1_000,
            loopback: false,
        }
    }
}

impl SocketLimits {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            (self.all, "the number of sockets"),
            (self.sessions, "the number of sessions"),
            (self.per_address, "the number of sockets of an address"),
            (self.new_per_second as usize, "the number of new sockets a second"),
            (self.burst as usize, "the number of new sockets at once"),
        ];
        bounds
            .into_iter()
            .find(|(bound, _)| *bound == 0)
            .map_or(Ok(()), |(_, name)| Err(ConfigError::Zero(name)))
    }
}

/// A client that has been let in, with its place among the sockets. From [`Signaling::admit`](crate::Signaling::admit), or
/// from an [`Admission`] alone: then the socket is not counted, and nobody knows its address.
#[derive(Debug, Default)]
pub struct Admitted {
    pub(crate) admission: Admission,
    pub(crate) address: Option<IpAddr>,
    pub(crate) place: Option<Place>,
    /// If it speaks another protocol.
    pub(crate) guest: Option<Box<Guest>>,
}

impl Admitted {
    /// What the policy has said.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Where the client comes from, if that is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

impl From<Admission> for Admitted {
    fn from(admission: Admission) -> Self {
        Self { admission, ..Self::default() }
    }
}

/// What counts as one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// When one who has too many sockets may try again: some will have ended.
const LATER: Duration = Duration::from_secs(10);

/// Of so many networks the new sockets are remembered before those are forgotten that may open as many as anybody.
const SWEPT: usize = 1_000;

/// Of more networks than that they are not remembered: 100,000 take about 5 MB. Since one is forgotten 5 ms after its only
/// socket has come, so many mean that more come than a machine could serve.
const REMEMBERED: usize = 100_000;

/// tokio's, which tests can stop.
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Pace = RateLimiter<Network, HashMapStateStore<Network>, SinceStart, NoOpMiddleware<Duration>>;

/// Knows all sockets by where they come from.
pub(crate) struct Addresses {
    limits: SocketLimits,
    trusted: Vec<IpNet>,
    warned: AtomicBool,
    pace: Pace,
    open: Mutex<Open>,
}

/// The sockets that are there.
#[derive(Default)]
struct Open {
    all: usize,
    by: HashMap<Network, usize>,
    /// At so many networks that are remembered the next sweep is due.
    sweep_at: usize,
}

impl Addresses {
    pub(crate) fn new(limits: SocketLimits, trusted: Vec<IpNet>) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::per_second(at_least_one(limits.new_per_second)).allow_burst(at_least_one(limits.burst));
        Self {
            limits,
            trusted,
            warned: AtomicBool::new(false),
            pace: RateLimiter::hashmap_with_clock(quota, SinceStart(Instant::now())),
            open: Mutex::new(Open { sweep_at: SWEPT, ..Open::default() }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Whoever panicked while holding it has left the state whole: nothing in here can panic between statements.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a client comes from whose request came over a connection from `remote`.
    ///
    /// What proxies say in `X-Forwarded-For` counts as long as they are trusted: each puts the address it was called from
    /// at the end, so the last that is none of theirs is the client's. What stands before it may be made up.
    pub(crate) fn client(&self, remote: Option<SocketAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        if remote.is_none() && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("the address of a client is not known: its sockets are not bounded by address");
        }
        let mut client = remote?.ip().to_canonical();
        let values = headers.get_all("x-forwarded-for").iter().rev();
        let mut entries = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        while self.trusted.iter().any(|network| network.contains(&client)) {
            let Some(address) = entries.next().and_then(read_address) else { break };
            client = address;
        }
        Some(client)
    }

    /// Whether the server has all the sockets that it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().all >= self.limits.all
    }

    /// Takes a place for a socket from `address`.
    pub(crate) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, Refusal> {
        let is_counted = |address: &IpAddr| self.limits.loopback || !address.to_canonical().is_loopback();
        let network = address.filter(is_counted).map(Network::of);
        let mut open = self.lock();
        if open.all >= self.limits.all {
            return Err(Refusal::unavailable("There are too many sockets."));
        }
        if let Some(network) = network {
            let number = open.by.get(&network).copied().unwrap_or_default();
            if number >= self.limits.per_address {
                return Err(Refusal::limit("There are too many sockets from this address.", LATER));
            }
            self.keep_pace(network, &mut open.sweep_at)?;
            open.by.insert(network, number + 1);
        }
        open.all += 1;
        Ok(Place { addresses: Arc::clone(self), network })
    }

    fn keep_pace(&self, network: Network, sweep_at: &mut usize) -> Result<(), Refusal> {
        if self.pace.len() >= *sweep_at {
            self.pace.retain_recent();
            *sweep_at = (2 * self.pace.len()).clamp(SWEPT, REMEMBERED);
            if self.pace.len() >= REMEMBERED {
                return Err(Refusal::unavailable("There are too many new sockets."));
            }
        }
        self.pace.check_key(&network).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.pace.clock().now());
            Refusal::limit("Too many new sockets have come from this address.", wait)
        })
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Some proxies tell the port, too.
fn read_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = str::from_utf8(entry).ok()?.trim();
    let address = entry.parse().or_else(|_| entry.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// A place among the sockets. It is free again when this is dropped, with the socket's task.
#[derive(Debug)]
pub(crate) struct Place {
    addresses: Arc<Addresses>,
    network: Option<Network>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.lock();
        open.all -= 1;
        if let Some(network) = self.network
            && let Some(number) = open.by.get_mut(&network)
        {
            *number -= 1;
            if *number == 0 {
                open.by.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests;
