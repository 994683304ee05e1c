//! How a server is configured. What is wrong shows here, never later.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use signal_core::{Limits, LocalLog, OwnedPayload, codec::FrameLimits};

use crate::{
    IpNet, Open, Origins, Policy, Rates, Signaling, SocketLimits, Turn,
    driver::Shared,
    tokens::{Keys, LEAST_KEY},
    turn::{LEAST_SECRET, TTL},
};

/// Builds a [`Signaling`].
#[derive(Debug)]
pub struct Builder<P = Open> {
    policy: P,
    pub(crate) config: Config,
}

/// The longest time that can be configured: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Everything that is configured but the policy.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) limits: Limits,
    pub(crate) frames: FrameLimits,
    pub(crate) timing: Timing,
    pub(crate) origins: Origins,
    pub(crate) sockets: SocketLimits,
    pub(crate) rates: Rates,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) turn: Option<Turn>,
    pub(crate) keys: Keys,
    pub(crate) one_session_per_identity: bool,
    pub(crate) outbox_messages: usize,
    pub(crate) outbox_bytes: usize,
    pub(crate) futile_resumes: u32,
    pub(crate) kept_events: usize,
}

/// The times that a socket is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a client may take to say `hello`, and the policy to decide on its upgrade and on its `hello`, 5 s
    /// each.
    pub hello: Duration,
    /// After how much silence a client is asked for a sign of life, 20 s: middleboxes forget a connection after 30.
    pub heartbeat: Duration,
    /// How long it may take to give one, 10 s; then its session is detached.
    pub heartbeat_timeout: Duration,
    /// How long a client may keep the server from writing, 10 s; then its session is detached.
    pub write: Duration,
    /// When received frames are acknowledged that are fewer than 32, 1 s after the first.
    pub acknowledge: Duration,
    /// How long a socket that is closed may take to read what is left and to answer the close frame, 1 s; then it is cut
    /// off.
    pub farewell: Duration,
    /// Over how much time clients are asked to come back after the server has gone down, 3 s: less than
    /// [`Limits::returning`], so that all find their seats when it starts again at once.
    pub reconnect: Duration,
    /// How long after its making a token of an earlier start of the server brings back a peer id or a seat, a week. A
    /// session that stays connected gets no newer one, so this is also how long a call may go on and survive a restart.
    pub token_life: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            heartbeat: Duration::from_secs(20),
            heartbeat_timeout: Duration::from_secs(10),
            write: Duration::from_secs(10),
            acknowledge: Duration::from_secs(1),
            farewell: Duration::from_secs(1),
            reconnect: Duration::from_secs(3),
            token_life: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}

/// A STUN or TURN server, as browsers take it (`RTCIceServer` of webrtc-pc).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// Such as `stun:stun.example.org:3478`.
    pub urls: Vec<String>,
    /// Of a TURN server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Of a TURN server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl IceServer {
    /// A server without credentials.
    pub fn stun(url: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], ..Self::default() }
    }

    /// As clients are told.
    pub(crate) fn list(servers: &[&Self]) -> OwnedPayload {
        let json = serde_json::to_string(servers).and_then(|json| OwnedPayload::from_json(&json));
        json.expect("a list of texts has a JSON form")
    }
}

/// The configuration cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A bound is 0, so nothing could ever be done.
    #[error("{0} must not be 0")]
    Zero(&'static str),
    /// Frames may be nested deeper than the codec can follow.
    #[error("the nesting depth of a frame must be at most {}", FrameLimits::MAX_DEPTH)]
    TooDeep,
    /// A time is longer than a year, which is surely a mistake, and could reach the end of what a clock can tell.
    #[error("{0} must not be longer than a year")]
    TooLong(&'static str),
    /// Less of a message would be read than it may have.
    #[error("a message of the largest size must be read")]
    ReadTooSmall,
    /// An outbox could not hold the largest message.
    #[error("an outbox must hold at least one message of the largest size")]
    OutboxTooSmall,
    /// A key is too short to be hard to guess.
    #[error("a key must have at least {LEAST_KEY} bytes")]
    ShortKey,
    /// A public key is none that tokens can be checked with.
    #[error("this is not the public key of Ed25519 or P-256 as PEM")]
    PublicKey,
    /// Tokens would be checked with so many keys that it costs something to try.
    #[error("there must be at most {0} keys for tokens")]
    TooManyKeys(usize),
    /// This is no origin, such as `https://example.org`.
    #[error("{0:?} is not an origin")]
    Origin(String),
    /// A URL is not of the form that browsers take.
    #[error("{0:?} is not the URL of a STUN or TURN server")]
    IceServer(String),
    /// The secret shared with the TURN server is too short to be hard to guess.
    #[error("the secret of a TURN server must have at least {LEAST_SECRET} bytes")]
    ShortTurnSecret,
    /// TURN credentials would end too early, or be worth stealing.
    #[error("TURN credentials must be valid for {} to {} seconds", TTL.start(), TTL.end())]
    TurnTtl,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            policy: Open,
            config: Config {
                limits: Limits::default(),
                frames: FrameLimits::default(),
                timing: Timing::default(),
                origins: Origins::default(),
                sockets: SocketLimits::default(),
                rates: Rates::default(),
                trusted_proxies: Vec::new(),
                ice_servers: Vec::new(),
                turn: None,
                keys: Keys::default(),
                one_session_per_identity: false,
                outbox_messages: 1024,
                outbox_bytes: 512 << 10,
                futile_resumes: 5,
                kept_events: 1024,
            },
        }
    }
}

impl<P: Policy> Builder<P> {
    /// Who may do what; [`Open`] if it is not set.
    #[must_use]
    pub fn policy<Q: Policy>(self, policy: Q) -> Builder<Q> {
        Builder { policy, config: self.config }
    }

    /// Which pages may open a socket; [`Origins::same`] if it is not set.
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.config.origins = origins;
        self
    }

    /// The STUN and TURN servers that every client is told in `welcome`; none if it is not set.
    #[must_use]
    pub fn ice_servers(mut self, servers: impl IntoIterator<Item = IceServer>) -> Self {
        self.config.ice_servers = servers.into_iter().collect();
        self
    }

    /// A TURN server for which each session gets credentials of its own, with its first join and before they end. They
    /// come in `iceServers` together with [`Builder::ice_servers`]; none if it is not set.
    #[must_use]
    pub fn turn(mut self, turn: Turn) -> Self {
        self.config.turn = Some(turn);
        self
    }

    /// Lets each [`identity`](crate::Admission::identity) have one session: a new one ends the one before, whose socket
    /// is closed with 4001. Without this somebody may be there several times, such as with two devices.
    #[must_use]
    pub fn one_session_per_identity(mut self) -> Self {
        self.config.one_session_per_identity = true;
        self
    }

    /// The keys that sign what clients show when they come back, each of at least 32 random bytes. The first one signs,
    /// all are accepted: a new key is put before the old one, which is taken away when
    /// [`Timing::token_life`] has passed.
    ///
    /// With a key that stays the same, calls survive a restart of the server, even one that was killed: clients come
    /// back with their peer ids and join again, while their connections go on. For [`Limits::returning`] after the start
    /// others wait for a seat in a channel with a capacity. Without keys sessions end with the process.
    #[must_use]
    pub fn keys<K: Into<Vec<u8>>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.config.keys = Keys(keys.into_iter().map(Into::into).collect());
        self
    }

    /// The bounds of channels and sessions.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// The bounds of a frame from a client.
    #[must_use]
    pub fn frame_limits(mut self, limits: FrameLimits) -> Self {
        self.config.frames = limits;
        self
    }

    /// The times that a socket is held to.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.config.timing = timing;
        self
    }

    /// How many sockets there may be, of one address and in all.
    #[must_use]
    pub fn socket_limits(mut self, limits: SocketLimits) -> Self {
        self.config.sockets = limits;
        self
    }

    /// How much a client may send.
    #[must_use]
    pub fn rates(mut self, rates: Rates) -> Self {
        self.config.rates = rates;
        self
    }

    /// The proxies whose `X-Forwarded-For` is believed, by their addresses as the server sees them; none if it is not set.
    ///
    /// It is read from its end, as long as addresses are those of trusted proxies; the first other one is the client's.
    /// Without this a proxy on another machine is taken for one client with very many sockets.
    #[must_use]
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.config.trusted_proxies = networks.into_iter().collect();
        self
    }

    /// How much may be on its way to one client, unacknowledged: 1,024 messages and 512 KiB if it is not set. Each of 63
    /// others may send an offer and a dozen candidates before one is read. A session that would need more is ended, with
    /// the reason `overflow`.
    #[must_use]
    pub fn outbox(mut self, messages: usize, bytes: usize) -> Self {
        self.config.outbox_messages = messages;
        self.config.outbox_bytes = bytes;
        self
    }

    /// How often in a row a client gets its session back though it has received nothing of what was sent to it, 5 if it is
    /// not set. Then the session is ended: the next message seems to be one by which this client loses its socket, and
    /// would be sent to it again without end.
    #[must_use]
    pub fn futile_resumes(mut self, number: u32) -> Self {
        self.config.futile_resumes = number;
        self
    }

    /// How many events are kept for an observer that lags behind, 1,024 if it is not set.
    #[must_use]
    pub fn kept_events(mut self, number: usize) -> Self {
        self.config.kept_events = number;
        self
    }

    /// Makes the server.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the configuration cannot work.
    pub fn build(self) -> Result<Signaling, ConfigError> {
        self.config.check()?;
        let log = Box::<LocalLog>::default();
        Ok(Signaling { shared: Arc::new(Shared::new(Box::new(self.policy), self.config, log)) })
    }
}

impl Config {
    fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            (self.limits.members_per_channel, "members_per_channel"),
            (self.limits.members_unlisted, "members_unlisted"),
            (self.limits.channels_per_peer, "channels_per_peer"),
            (self.limits.channels, "channels"),
            (self.limits.pools, "pools"),
            (self.limits.waiting_per_pool, "waiting_per_pool"),
            (self.limits.waiting_messages, "waiting_messages"),
            (self.frames.message, "the size of a message"),
            (self.frames.depth, "the nesting depth of a frame"),
            (self.frames.keys, "the number of keys in an object"),
            (self.outbox_messages, "the number of messages of an outbox"),
            (self.kept_events, "kept_events"),
        ];
        if let Some((_, name)) = bounds.into_iter().find(|(bound, _)| *bound == 0) {
            return Err(ConfigError::Zero(name));
        }
        if self.frames.depth > FrameLimits::MAX_DEPTH {
            return Err(ConfigError::TooDeep);
        }
        let times = [
            (self.limits.grace, "grace"),
            (self.limits.rematch, "rematch"),
            (self.limits.returning, "returning"),
            (self.limits.authorize_timeout, "authorize_timeout"),
            (self.limits.commit_timeout, "commit_timeout"),
            (self.limits.malformed_window, "malformed_window"),
            (self.rates.patience, "patience"),
            (self.timing.hello, "hello"),
            (self.timing.heartbeat, "heartbeat"),
            (self.timing.heartbeat_timeout, "heartbeat_timeout"),
            (self.timing.write, "write"),
            (self.timing.acknowledge, "acknowledge"),
            (self.timing.farewell, "farewell"),
            (self.timing.reconnect, "reconnect"),
            (self.timing.token_life, "token_life"),
            (self.turn.as_ref().map_or(Duration::ZERO, Turn::longest), "turn"),
        ];
        if let Some((_, name)) = times.into_iter().find(|(time, _)| *time > LONGEST) {
            return Err(ConfigError::TooLong(name));
        }
        // The others may be 0: what they bound is then not waited for at all.
        let needed =
            ["authorize_timeout", "commit_timeout", "hello", "heartbeat", "heartbeat_timeout", "write"];
        let is_missing = |(time, name): &(Duration, &str)| time.is_zero() && needed.contains(name);
        if let Some((_, name)) = times.into_iter().find(is_missing) {
            return Err(ConfigError::Zero(name));
        }
        if self.keys.0.iter().any(|key| key.len() < LEAST_KEY) {
            return Err(ConfigError::ShortKey);
        }
        self.sockets.check()?;
        self.rates.check()?;
        self.turn.as_ref().map_or(Ok(()), Turn::check)?;
        if self.frames.read < self.frames.message {
            return Err(ConfigError::ReadTooSmall);
        }
        if self.outbox_bytes < self.frames.message {
            return Err(ConfigError::OutboxTooSmall);
        }
        if let Some(origin) = self.origins.invalid() {
            return Err(ConfigError::Origin(origin.to_owned()));
        }
        let urls = self.ice_servers.iter().flat_map(|server| &server.urls);
        let schemes = ["stun:", "stuns:", "turn:", "turns:"];
        match urls.into_iter().find(|url| !schemes.iter().any(|scheme| url.starts_with(scheme))) {
            Some(url) => Err(ConfigError::IceServer(url.clone())),
            None => Ok(()),
        }
    }
}
