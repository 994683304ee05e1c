//! What somebody may see and do who looks after a running server, and how that is guarded. Adapters make routes of it.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use signal_core::{ChannelName, PeerId};
use subtle::ConstantTimeEq;

use crate::{Signaling, link::Link};

/// Shorter tokens could be guessed: 16 characters of base64 are 96 bits.
const SHORTEST_TOKEN: usize = 16;

/// The log is told of wrong tokens once in so long, or whoever tries them would fill it.
const WARN_AGAIN: Duration = Duration::from_secs(1);

/// So many places are looked at for one page, be they taken or free, so that the server is not held up.
const MOST_SEEN: usize = 10_000;

/// What whoever looks after the server has to show: `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
#[derive(Clone)]
pub struct AdminToken(Box<str>);

/// The token is too short to be a secret: it must have at least 16 bytes of visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the admin token must have at least {SHORTEST_TOKEN} characters, all of them visible ASCII")]
pub struct WeakToken;

impl AdminToken {
    /// Checks `token` and takes it over.
    ///
    /// # Errors
    ///
    /// [`WeakToken`] when it has fewer than 16 bytes, or others than visible ASCII, which could not be sent.
    pub fn new(token: &str) -> Result<Self, WeakToken> {
        let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible && token.len() >= SHORTEST_TOKEN { Ok(Self(token.into())) } else { Err(WeakToken) }
    }

    /// In a time that tells nothing but the length.
    fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
        let Some((scheme, shown)) = shown.split_at_checked(b"Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(shown.ct_eq(self.0.as_bytes()))
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

/// Whoever asks may not look after the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminRefusal {
    /// There is no token, so nobody may.
    #[error("No admin token is set, so nobody is let in here. Start the server with one.")]
    Off,
    /// The request shows no token, or a wrong one. The answer has `WWW-Authenticate: Bearer`.
    #[error("This needs the admin token, as Authorization: Bearer TOKEN.")]
    WrongToken,
}

impl AdminRefusal {
    /// The HTTP status by which an adapter refuses the request.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Off => StatusCode::FORBIDDEN,
            Self::WrongToken => StatusCode::UNAUTHORIZED,
        }
    }
}

/// Some of the peers.
#[derive(Clone, Debug, Serialize)]
pub struct PeerPage {
    /// In the order of the numbers of their sessions.
    pub peers: Vec<PeerStatus>,
    /// Where the next page begins, if there is more to look at. A page may be empty all the same.
    pub next: Option<usize>,
}

/// One peer, as it is at the moment.
#[derive(Clone, Debug, Serialize)]
pub struct PeerStatus {
    /// Its id.
    pub peer: PeerId,
    /// The number of its session. It is free again when that has ended.
    pub session: u32,
    /// What the policy has verified about it.
    pub identity: Option<Box<str>>,
    /// Whether a socket carries the session. Otherwise it waits for one, within its grace time.
    pub attached: bool,
    /// Where it is, in the order in which it joined.
    pub channels: Vec<ChannelName>,
    /// How many frames are kept for it until it acknowledges them.
    pub kept_frames: usize,
    /// How many bytes these are.
    pub kept_bytes: usize,
}

/// Some of the channels.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelPage {
    /// In an order that stays the same while they have members.
    pub channels: Vec<ChannelStatus>,
    /// Where the next page begins, if there is more to look at. A page may be empty all the same.
    pub next: Option<usize>,
}

/// One channel, as it is at the moment.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelStatus {
    /// Its name.
    pub channel: ChannelName,
    /// How many are in it.
    pub members: usize,
}

impl Signaling {
    /// Most entries of a page, 1,000: the server stands still while one is made.
    pub const MOST_ON_A_PAGE: usize = 1_000;

    /// Decides whether a request with these headers may see and do what whoever looks after the server may. Failures are
    /// counted, and the log is told.
    ///
    /// # Errors
    ///
    /// [`AdminRefusal`] when there is no token, or the request does not show it.
    pub fn check_admin(&self, token: Option<&AdminToken>, headers: &HeaderMap) -> Result<(), AdminRefusal> {
        let refusal = match token {
            Some(token) if token.is_shown_in(headers) => return Ok(()),
            Some(_) => AdminRefusal::WrongToken,
            None => AdminRefusal::Off,
        };
        let metrics = &self.shared.metrics;
        let refusals = metrics.admin_refusals.fetch_add(1, Relaxed) + 1;
        if metrics.warns_again(Instant::now(), WARN_AGAIN) {
            tracing::warn!(refusals, status = refusal.status().as_u16(), "an admin request was refused");
        }
        Err(refusal)
    }

    /// The peers from place `from` on, `limit` or fewer; the first page begins at 0. Those included whose socket is lost
    /// but may come back.
    #[must_use]
    pub fn peer_page(&self, from: usize, limit: usize) -> PeerPage {
        let limit = limit.clamp(1, Self::MOST_ON_A_PAGE);
        let (mut found, mut at) = (Vec::new(), from);
        let next = {
            let state = self.shared.lock();
            let end = state.links.capacity();
            let last = end.min(from.saturating_add(MOST_SEEN));
            while at < last && found.len() < limit {
                if let Some(link) = state.links.get(at) {
                    let channels = state.hub.channels_of(link.session).cloned().collect();
                    found.push((Arc::clone(link), channels));
                }
                at += 1;
            }
            (at < end).then_some(at)
        };
        let status = |(link, channels): (Arc<Link>, _)| {
            let carried = link.lock();
            PeerStatus {
                peer: link.peer.clone(),
                session: link.session.0,
                identity: link.identity.clone(),
                attached: carried.attached,
                channels,
                kept_frames: carried.outbox.len(),
                kept_bytes: carried.outbox.bytes(),
            }
        };
        PeerPage { peers: found.into_iter().map(status).collect(), next }
    }

    /// The channels with members from place `from` on, `limit` or fewer; the first page begins at 0.
    #[must_use]
    pub fn channel_page(&self, from: usize, limit: usize) -> ChannelPage {
        let limit = limit.clamp(1, Self::MOST_ON_A_PAGE);
        let (mut channels, mut at) = (Vec::new(), from);
        let state = self.shared.lock();
        let end = state.hub.channel_places();
        let last = end.min(from.saturating_add(MOST_SEEN));
        while at < last && channels.len() < limit {
            if let Some((name, channel)) = state.hub.channel_at(at) {
                channels.push(ChannelStatus { channel: name.clone(), members: channel.members().len() });
            }
            at += 1;
        }
        ChannelPage { channels, next: (at < end).then_some(at) }
    }
}
