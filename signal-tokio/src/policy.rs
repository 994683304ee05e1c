//! Who may do what: the embedder decides.

use std::{any::Any, fmt, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use signal_core::{ErrorCode, Hello, JoinGrant, MatchGrant, PeerId};

/// The decisions of the embedder. Every method may do IO; while it does, only the peer that asked waits.
#[async_trait]
pub trait Policy: Send + Sync + 'static {
    /// Decides on a WebSocket before the upgrade, for example by a cookie. Requests from pages that
    /// [`Builder::origins`](crate::Builder::origins) does not let in are refused before. The default lets all others in.
    async fn upgrade(&self, request: &Parts) -> Result<Admission, Refusal> {
        let _ = request;
        Ok(Admission::default())
    }

    /// Decides on a client that speaks another protocol, by the name of that, in place of [`Policy::upgrade`] and
    /// [`Policy::hello`]. The default refuses all of them: what they cannot say, such as a token, they cannot be asked for.
    async fn guest(&self, protocol: &str, request: &Parts) -> Result<Admission, Refusal> {
        let _ = (protocol, request);
        Err(Refusal::unauthorized("This protocol is not spoken here."))
    }

    /// Decides on a client once it has said `hello`, for example by [`Hello::token`]. The default lets it in.
    async fn hello(&self, admission: Admission, hello: &Hello<'_>) -> Result<Admission, Refusal> {
        let _ = hello;
        Ok(admission)
    }

    /// Decides on a join, and on the settings of the channel if this join creates it. The default allows every
    /// channel with the default settings. It has [`Limits::authorize_timeout`](crate::Limits), 5 s; after that the
    /// peer is told `unavailable`.
    async fn join(&self, peer: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        let _ = (peer, request);
        Ok(JoinGrant::default())
    }

    /// Decides whether a peer may wait in a pool for strangers, how many meet at a time, and how long it waits at
    /// most. The default allows every pool, pairs, and 5 min. It has as long as [`Policy::join`], which is not asked
    /// for the channel in which strangers meet.
    async fn matchmaking(&self, peer: &PeerInfo, request: &MatchRequest<'_>) -> Result<MatchGrant, Refusal> {
        let _ = (peer, request);
        Ok(MatchGrant::default())
    }
}

/// The policy of those who have none: all defaults of [`Policy`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Policy for Open {}

/// A client has been let in, and this is known about it.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// Who it is, as verified by the embedder, in at most [`Admission::LONGEST_IDENTITY`] bytes. The peers that it is
    /// introduced to are told.
    pub identity: Option<Box<str>>,
    pub(crate) data: Data,
}

impl Admission {
    /// Longest identity in bytes: whoever joins a channel is told that of every member. Who has a longer one is refused,
    /// and the log says so.
    pub const LONGEST_IDENTITY: usize = 512;

    /// Lets in a client whose identity the embedder has verified.
    pub fn identified(identity: impl Into<Box<str>>) -> Self {
        Self { identity: Some(identity.into()), data: Data::default() }
    }

    /// Keeps something about the client for later decisions, such as what its login allows: [`PeerInfo::get`] has it.
    ///
    /// A client that resumes its session is admitted anew, and what is kept then replaces what was kept before.
    #[must_use]
    pub fn with(mut self, data: impl Any + Send + Sync) -> Self {
        self.data = Data(Some(Arc::new(data)));
        self
    }

    /// What [`Admission::with`] has kept, if it is of this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.data.get()
    }

    pub(crate) fn checked(self) -> Result<Self, Refusal> {
        let bytes = self.identity.as_ref().map_or(0, |identity| identity.len());
        if bytes <= Self::LONGEST_IDENTITY {
            return Ok(self);
        }
        tracing::warn!(bytes, "an identity is too long");
        Err(Refusal::unauthorized("The identity is too long."))
    }
}

/// Something that the driver keeps for the embedder and does not look into.
#[derive(Clone, Default)]
pub(crate) struct Data(Option<Arc<dyn Any + Send + Sync>>);

impl Data {
    fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_deref()?.downcast_ref()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "data" } else { "no data" })
    }
}

/// A client is not let in, or may not do what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// What the peer is told.
    pub code: ErrorCode,
    /// The sentence that goes with it, of which 1 KiB is told.
    pub message: Box<str>,
    /// After how long it may be of use to try again, if that is known. Told where an upgrade is refused.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// The sentence, cut where it is longer than [`MOST_WORDS`].
    pub(crate) fn words(&self) -> &str {
        let ends = (0..=self.message.len().min(MOST_WORDS)).rev();
        let end = ends.into_iter().find(|end| self.message.is_char_boundary(*end));
        &self.message[..end.unwrap_or_default()]
    }

    /// The client may not; trying again is of no use.
    pub fn unauthorized(message: impl Into<Box<str>>) -> Self {
        Self { code: ErrorCode::Unauthorized, message: message.into(), retry_after: None }
    }

    /// It could not be found out whether the client may.
    pub fn unavailable(message: impl Into<Box<str>>) -> Self {
        Self { code: ErrorCode::Unavailable, message: message.into(), retry_after: None }
    }

    /// The client wants more than it may have; after so long it may try again.
    pub fn limit(message: impl Into<Box<str>>, retry_after: Duration) -> Self {
        Self { code: ErrorCode::Limit, message: message.into(), retry_after: Some(retry_after) }
    }

    /// The HTTP status by which an adapter refuses an upgrade.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.code == ErrorCode::Unavailable {
            StatusCode::SERVICE_UNAVAILABLE
        } else if self.code == ErrorCode::Limit {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::FORBIDDEN
        }
    }

    /// The answer by which an adapter refuses an upgrade: the sentence as text, and `Retry-After` (RFC 9110, section
    /// 10.2.3).
    #[must_use]
    pub fn into_response(self) -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Some(wait) = self.retry_after {
            // Whole seconds, and never too early.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        *response.body_mut() = self.words().to_owned();
        response
    }
}

/// A longer sentence than this many bytes is no help to anybody, and the frame that carries it has a bound.
const MOST_WORDS: usize = 1 << 10;

/// A peer that asks for something.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Its id.
    pub peer: PeerId,
    /// What the policy has verified about it.
    pub identity: Option<Box<str>>,
    /// Where it comes from, if that is known: behind the [trusted proxies](crate::Builder::trusted_proxies).
    pub address: Option<IpAddr>,
    /// Which protocol it speaks: [`PeerInfo::NATIVE`], or the name of a [`Dialect`](crate::Dialect).
    pub protocol: &'static str,
    pub(crate) data: Data,
}

impl PeerInfo {
    /// The name of our own protocol, which is also that of its WebSocket subprotocol.
    pub const NATIVE: &'static str = "signal.v1";

    /// What [`Admission::with`] has kept about it, if it is of this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.data.get()
    }
}

/// What a peer asks for when it joins.
#[derive(Clone, Copy, Debug)]
pub struct JoinRequest<'a> {
    /// The channel's name, as the peer has said it. The channels of another [protocol](PeerInfo::protocol) are others, also
    /// where they have the same names.
    pub channel: &'a str,
    /// What the peer says about itself, as JSON text.
    pub userdata: Option<&'a str>,
}

/// What a peer asks for when it wants to meet a stranger.
#[derive(Clone, Copy, Debug)]
pub struct MatchRequest<'a> {
    /// The pool's name. As for channels, another protocol has others.
    pub pool: &'a str,
    /// What the peer says about itself, as JSON text.
    pub userdata: Option<&'a str>,
}
