//! Credentials for a TURN server that end by themselves: the TURN REST scheme, draft-uberti-behave-turn-rest-00.

mod limiter;

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use signal_core::{CloseReason, PeerId, ServerMessage};
use tokio::time;

use self::limiter::Limiter;
use crate::{
    ConfigError, Frame, IceServer, addresses::Network, driver::Shared, handshake::encode, link::Link,
};

/// A shorter secret could be guessed: every client sees what it signs.
pub(crate) const LEAST_SECRET: usize = 16;

/// How long credentials may be valid, in seconds. Shorter ones would end while a connection is still tried again, longer
/// ones are worth passing on.
pub(crate) const TTL: std::ops::RangeInclusive<u64> = 600..=3600;

/// A TURN server that accepts time-limited credentials, such as coturn with `use-auth-secret`.
///
/// Each session gets some with its first join, and fresh ones when 80 % of their life have passed. The user name is
/// `<expiry>:<peer id>`, the expiry in seconds since 1970, and the password is the base64 of its HMAC-SHA1 with the secret
/// that the two servers share (draft-uberti-behave-turn-rest-00).
#[derive(Clone, PartialEq, Eq)]
pub struct Turn {
    urls: Vec<String>,
    secret: Vec<u8>,
    ttl: Duration,
    is_any_ttl: bool,
    most: usize,
    window: Duration,
}

impl Turn {
    /// The server at `urls`, each such as `turn:turn.example.org:3478` or `turns:turn.example.org:5349?transport=tcp`.
    /// `secret` is coturn's `static-auth-secret`, or the first of them, of at least 16 bytes.
    #[must_use]
    pub fn new<U: Into<String>>(urls: impl IntoIterator<Item = U>, secret: impl Into<Vec<u8>>) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            secret: secret.into(),
            ttl: Duration::from_secs(*TTL.end()),
            is_any_ttl: false,
            most: 10,
            window: Duration::from_secs(600),
        }
    }

    /// How long credentials are valid: an hour if it is not set, and from 10 minutes to an hour. An allocation that was
    /// made with them lives on.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, is_any_ttl: false, ..self }
    }

    /// As [`Turn::ttl`] without its bounds, for tests that wait for the end.
    #[must_use]
    pub fn ttl_for_tests(self, ttl: Duration) -> Self {
        Self { ttl, is_any_ttl: true, ..self }
    }

    /// How many credentials one identity gets in any `window` at most, or one client address where there is no identity:
    /// 10 in 10 minutes if it is not set. Whoever wants more gets them as soon as the window allows it; until then calls
    /// go without. 100,000 of all together are remembered, which are 10 MB; then the oldest are forgotten.
    #[must_use]
    pub fn limit(self, most: usize, window: Duration) -> Self {
        Self { most, window, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let is_turn = |url: &&String| url.starts_with("turn:") || url.starts_with("turns:");
        if let Some(url) = self.urls.iter().find(|url| !is_turn(url)) {
            return Err(ConfigError::IceServer(url.clone()));
        }
        if self.urls.is_empty() {
            return Err(ConfigError::Zero("the number of URLs of the TURN server"));
        }
        if self.secret.len() < LEAST_SECRET {
            return Err(ConfigError::ShortTurnSecret);
        }
        if self.most == 0 {
            return Err(ConfigError::Zero("the number of TURN credentials"));
        }
        let bounds = Duration::from_secs(*TTL.start())..=Duration::from_secs(*TTL.end());
        if !self.is_any_ttl && !bounds.contains(&self.ttl) {
            return Err(ConfigError::TurnTtl);
        }
        Ok(())
    }

    /// The longest of its times.
    pub(crate) fn longest(&self) -> Duration {
        self.ttl.max(self.window)
    }
}

/// The secret is not printed.
impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { urls, ttl, most, window, .. } = self;
        let mut turn = f.debug_struct("Turn");
        turn.field("urls", urls).field("ttl", ttl).field("most", most).field("window", window);
        turn.finish_non_exhaustive()
    }
}

/// Makes credentials, and counts for whom.
pub(crate) struct Minter {
    /// What all clients are told anyway.
    others: Vec<IceServer>,
    urls: Vec<String>,
    mac: Hmac<Sha1>,
    ttl: Duration,
    limiter: Limiter,
}

impl Minter {
    pub(crate) fn new(turn: &Turn, others: &[IceServer]) -> Self {
        Self {
            others: others.to_vec(),
            urls: turn.urls.clone(),
            mac: Hmac::new_from_slice(&turn.secret).expect("HMAC takes keys of any length"),
            ttl: turn.ttl,
            limiter: Limiter::new(turn.most, turn.window),
        }
    }

    /// What a session in a channel is told, if it has no credentials, or only such as are about to end.
    pub(crate) fn fresh_for(&mut self, link: &Link, now: Instant) -> Option<Frame> {
        let mut state = link.lock();
        if state.turn_due.is_some_and(|due| now < due) {
            return None;
        }
        let network = || state.address.map(|address| Network::of(address).to_string());
        let who = link.identity.as_deref().map(Cow::Borrowed).or_else(|| network().map(Cow::Owned));
        let allowed = who.map_or(Ok(()), |who| self.limiter.take(&who, now));
        state.turn_due = Some(allowed.err().unwrap_or(now + self.ttl * 4 / 5));
        allowed.is_ok().then(|| self.message(&link.peer, SystemTime::now()))
    }

    fn message(&self, peer: &PeerId, now: SystemTime) -> Frame {
        let end = (now + self.ttl).duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let username = format!("{end}:{peer}");
        let mac = self.mac.clone().chain_update(&username).finalize().into_bytes();
        let turn = IceServer {
            urls: self.urls.clone(),
            username: Some(username),
            credential: Some(STANDARD.encode(mac)),
        };
        let list: Vec<_> = self.others.iter().chain([&turn]).collect();
        let ice_servers = IceServer::list(&list);
        encode(&ServerMessage::IceServers { ice_servers: ice_servers.as_payload(), ttl: self.ttl })
    }
}

impl Shared {
    /// The credentials of a session are about to end: it gets others, unless it is in no channel. Then they come with its
    /// next join.
    pub(crate) fn refresh_turn(self: &Arc<Self>, link: &Arc<Link>) {
        let now = time::Instant::now().into_std();
        let is_full = {
            let mut state = self.lock();
            let is_in_use = state.has(link) && state.hub.has_seat(link.session);
            let Some(turn) = state.turn.as_mut().filter(|_| is_in_use) else {
                link.lock().turn_due = None;
                return;
            };
            turn.fresh_for(link, now).is_some_and(|frame| link.lock().outbox.push(frame).is_err())
        };
        if is_full {
            self.end(link, CloseReason::Overflow);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "north wind, and the sun above it";

    fn peer() -> PeerId {
        PeerId::new("Zk3pX0vTqYd1mWb8RhLs2g").unwrap()
    }

    /// The same text stands in the vectors of the protocol; another program has made the credential.
    #[test]
    fn the_user_name_is_signed_with_the_secret() {
        let urls = ["turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp"];
        let minter = Minter::new(&Turn::new(urls, SECRET), &[IceServer::stun("stun:stun.example.org:3478")]);
        let now = UNIX_EPOCH + Duration::from_millis(1_794_996_400_999);
        let frame = minter.message(&peer(), now);
        let vectors = include_str!("../../docs/vectors/server-messages.json");
        let text = std::str::from_utf8(frame.as_ref()).unwrap();
        assert!(vectors.contains(text), "{text}");
    }

    #[test]
    fn the_secret_is_not_printed() {
        let turn = Turn::new(["turn:turn.example.org"], SECRET);
        let printed = format!("{turn:?} {:?}", crate::Signaling::builder().turn(turn.clone()));
        assert!(printed.contains("turn.example.org") && !printed.contains("north"), "{printed}");
        assert!(!printed.contains(&format!("{:?}", SECRET.as_bytes())[1..20]), "{printed}");
    }
}
