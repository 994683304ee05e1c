//! A policy that lets clients in by a JSON Web Token.

mod claims;
mod key;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use signal_core::{ChannelSettings, Hello, Hosting, JoinGrant, MatchGrant};

use self::claims::{Expected, Login};
pub use self::key::JwtKey;
use crate::{Admission, ConfigError, JoinRequest, MatchRequest, PeerInfo, Policy, Refusal};

/// A [`Policy`] that lets clients in by a JSON Web Token (RFC 7519) in [`Hello::token`], signed by whoever knows them.
/// Behind the feature `jwt`.
///
/// ```
/// use signal_tokio::{Jwt, JwtKey, Signaling};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = [7; 32];
/// let key = JwtKey::hs256(secret)?;
/// let policy = Jwt::new([key])?.issuer("https://login.example.org").audience("signal.example.org");
/// let signaling = Signaling::builder().policy(policy).one_session_per_identity().build()?;
/// # Ok(())
/// # }
/// ```
///
/// It is what its claims say:
///
/// | claim | meaning |
/// |---|---|
/// | `sub` | required: the [`identity`](Admission::identity), 1 to 128 bytes without control characters |
/// | `exp` | required: until when it holds, at most [`Jwt::longest`] ahead |
/// | `nbf` | from when it holds |
/// | `iss`, `aud` | required where [`Jwt::issuer`] and [`Jwt::audience`] are set; a token for an audience is refused where none is |
/// | `sig.room` | the name of a channel that may be joined |
/// | `sig.room_prefix` | how the names of channels begin that may be joined; `""` for all |
/// | `sig.max_peers` | the capacity of the channel, if the join creates it |
/// | `sig.host` | `false`: never the host of a star |
/// | `sig.match_pools` | the names of the pools in which strangers may be met |
///
/// What is not granted is refused, so a token without `sig` allows nothing but to be there; one with another key in `sig`
/// is refused as a whole, since that may have been meant as a restriction. Clocks may differ by 60 s. The token is looked
/// at when a client comes or comes back, and its end at each join and match: who stays connected for longer comes back
/// with a fresh one. Nobody is thrown out when it ends; [`Signaling::kick_identity`](crate::Signaling::kick_identity) does
/// that.
///
/// A token has at most 4,096 bytes, also where [`FrameLimits::token`](crate::FrameLimits::token) lets longer ones through:
/// each may cost a check of its signature. A client is not told what is wrong with a token. The log tells it at the level
/// `debug`, without the token.
#[derive(Clone, Debug)]
pub struct Jwt {
    keys: Vec<JwtKey>,
    expected: Expected,
    settings: ChannelSettings,
}

/// Two of each algorithm, and then some: each may cost a check of a signature with each `hello`.
const MOST_KEYS: usize = 8;

/// A stolen token is of use for so long at most.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

impl Jwt {
    /// Takes tokens that are signed with one of these keys, of which there are 1 to 8. A key is replaced without a gap by
    /// having both for a while.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there are no keys or too many.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Result<Self, ConfigError> {
        let keys: Vec<_> = keys.into_iter().take(MOST_KEYS + 1).collect();
        if keys.is_empty() {
            return Err(ConfigError::Zero("the number of keys for tokens"));
        }
        if keys.len() > MOST_KEYS {
            return Err(ConfigError::TooManyKeys(MOST_KEYS));
        }
        let expected = Expected { issuer: None, audience: None, longest: LONGEST };
        Ok(Self { keys, expected, settings: ChannelSettings::default() })
    }

    /// Takes tokens of this issuer only (`iss`); of any if it is not set.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.expected.issuer = Some(issuer.into());
        self
    }

    /// Takes tokens for this audience only (`aud`); if it is not set, those for none.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expected.audience = Some(audience.into());
        self
    }

    /// How long a token may hold from the moment at which it is shown, 6 h if it is not set: a stolen one is of use for as
    /// long.
    #[must_use]
    pub fn longest(mut self, longest: Duration) -> Self {
        self.expected.longest = longest;
        self
    }

    /// The settings of channels, of which a token may set the capacity; the defaults if it is not set.
    #[must_use]
    pub fn settings(mut self, settings: ChannelSettings) -> Self {
        self.settings = settings;
        self
    }

    fn login(&self, token: Option<&str>, now: f64) -> Result<Login, Refusal> {
        let login = token.ok_or(claims::Flaw::Missing).and_then(|token| {
            claims::read(token, &self.keys).and_then(|claims| claims.check(&self.expected, now))
        });
        login.map_err(|flaw| {
            tracing::debug!(?flaw, "a token is refused");
            Refusal::unauthorized("This token is not accepted.")
        })
    }

    fn join_at(&self, login: &Login, channel: &str, now: f64) -> Result<JoinGrant, Refusal> {
        if !login.lives(now) || !login.grants.allows_channel(channel) {
            return Err(not_granted());
        }
        let capacity = login.grants.max_peers.map_or(self.settings.capacity, u32::from);
        let hosting = if login.grants.host { Hosting::Candidate } else { Hosting::Never };
        Ok(JoinGrant { settings: ChannelSettings { capacity, ..self.settings }, hosting })
    }

    fn match_at(&self, login: &Login, pool: &str, now: f64) -> Result<MatchGrant, Refusal> {
        if !login.lives(now) || !login.grants.allows_pool(pool) {
            return Err(not_granted());
        }
        Ok(MatchGrant::default())
    }
}

#[async_trait]
impl Policy for Jwt {
    async fn hello(&self, admission: Admission, hello: &Hello<'_>) -> Result<Admission, Refusal> {
        let login = self.login(hello.token.as_deref(), now())?;
        let identity = Some(login.subject.clone());
        Ok(Admission { identity, ..admission }.with(login))
    }

    async fn join(&self, peer: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        self.join_at(peer.get().ok_or_else(not_granted)?, request.channel, now())
    }

    async fn matchmaking(&self, peer: &PeerInfo, request: &MatchRequest<'_>) -> Result<MatchGrant, Refusal> {
        self.match_at(peer.get().ok_or_else(not_granted)?, request.pool, now())
    }
}

#[cfg(fuzzing)]
impl Jwt {
    /// Who comes with a token, and whether it may join this channel and wait in this pool.
    pub(crate) fn lets_in(
        &self,
        token: &str,
        now: f64,
        channel: &str,
        pool: &str,
    ) -> Option<(Box<str>, bool, bool)> {
        let login = self.login(Some(token), now).ok()?;
        let may_join = self.join_at(&login, channel, now).is_ok();
        let may_wait = self.match_at(&login, pool, now).is_ok();
        Some((login.subject, may_join, may_wait))
    }
}

fn not_granted() -> Refusal {
    Refusal::unauthorized("The token does not allow this, or not any more.")
}

/// Seconds since 1970, as in a token.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JwtKey").field(&self.algorithm()).finish()
    }
}
