//! Why a socket is closed, and why a peer is gone.

use serde::{Deserialize, Serialize};

/// Why the server closes a socket, with the close code of RFC 6455, section 7.4 (4000 and above: private use).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client said `bye`.
    Bye,
    /// The server is going down; the client comes back later.
    Draining,
    /// A message was larger than the server reads.
    TooLarge,
    /// Another socket has taken over this session.
    Replaced,
    /// No `hello` came in time.
    HelloTimeout,
    /// The policy refused the client.
    Unauthorized,
    /// The embedder has ended this session.
    Kicked,
    /// The client does not keep to the protocol.
    Protocol,
    /// The client speaks another version of the protocol.
    UnsupportedVersion,
    /// The client did not read for too long; the session may resume.
    Slow,
    /// The client did not answer pings; the session may resume.
    Heartbeat,
    /// More was queued for the session than its outbox holds; the session is ended.
    Overflow,
    /// The client has sent too much for too long; the session is ended.
    Rate,
}

impl CloseReason {
    /// All reasons.
    pub const ALL: [Self; 13] = [
        Self::Bye,
        Self::Draining,
        Self::TooLarge,
        Self::Replaced,
        Self::HelloTimeout,
        Self::Unauthorized,
        Self::Kicked,
        Self::Protocol,
        Self::UnsupportedVersion,
        Self::Slow,
        Self::Heartbeat,
        Self::Rate,
        Self::Overflow,
    ];

    /// The WebSocket close code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Bye => 1000,
            Self::Draining => 1001,
            Self::TooLarge => 1009,
            Self::Replaced => 4001,
            Self::HelloTimeout => 4002,
            Self::Unauthorized => 4003,
            Self::Kicked => 4004,
            Self::Protocol => 4005,
            Self::UnsupportedVersion => 4006,
            Self::Slow | Self::Overflow => 4008,
            Self::Heartbeat => 4009,
            Self::Rate => 4013,
        }
    }

    /// The reason phrase that is sent with the code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bye => "bye",
            Self::Draining => "draining",
            Self::TooLarge => "too_large",
            Self::Replaced => "replaced",
            Self::HelloTimeout => "hello_timeout",
            Self::Unauthorized => "unauthorized",
            Self::Kicked => "kicked",
            Self::Protocol => "protocol",
            Self::UnsupportedVersion => "unsupported_version",
            Self::Slow => "slow",
            Self::Heartbeat => "heartbeat",
            Self::Overflow => "overflow",
            Self::Rate => "rate",
        }
    }
}

/// Why a stranger waits no longer without having met anybody; the `reason` of a `matchEnded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchEnd {
    /// Nobody was found in the time that the policy gives.
    Timeout,
    /// The socket was lost: nobody shall meet a stranger who may not come back.
    Detached,
    /// The server could not decide in time, or has taken the peer out of the pool.
    Unavailable,
}

impl MatchEnd {
    /// The reason as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Detached => "detached",
            Self::Unavailable => "unavailable",
        }
    }

    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        [Self::Timeout, Self::Detached, Self::Unavailable].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Why an introduction or a session ended; the `reason` of a `removePeer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The peer left the channel.
    Parted,
    /// The peer said `bye`.
    Bye,
    /// The peer's socket was lost and did not come back inside the grace time.
    Timeout,
    /// The embedder removed the peer.
    Kicked,
    /// The peer did not take what was queued for it.
    Overflow,
    /// The server closed the session, for example after too many malformed frames.
    Closed,
    /// A newer session of the same page has ended this one.
    Replaced,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 7] =
        [Self::Parted, Self::Bye, Self::Timeout, Self::Kicked, Self::Overflow, Self::Closed, Self::Replaced];

    /// The reason as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parted => "parted",
            Self::Bye => "bye",
            Self::Timeout => "timeout",
            Self::Kicked => "kicked",
            Self::Overflow => "overflow",
            Self::Closed => "closed",
            Self::Replaced => "replaced",
        }
    }

    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}
