//! Names and numbers: who, where, and when in the log.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The id by which peers address each other: 1 to 64 bytes of visible ASCII.
///
/// The driver mints ids that cannot be guessed; the core only demands that an id is not live twice.
/// Ids of up to 23 bytes are stored in place and cloning never allocates.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct PeerId(SmolStr);

impl PeerId {
    /// Longest id in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Checks `id` and takes it over.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] when it is empty, longer than [`PeerId::MAX_BYTES`] or not visible ASCII.
    pub fn new(id: &str) -> Result<Self, InvalidId> {
        Self::check(id).map(|()| Self(SmolStr::new(id)))
    }

    pub(crate) fn check(id: &str) -> Result<(), InvalidId> {
        let length_fits = (1..=Self::MAX_BYTES).contains(&id.len());
        // No `all`: without a way out it goes by many bytes at once.
        let is_visible = id.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic());
        if length_fits && is_visible { Ok(()) } else { Err(InvalidId) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a channel: 1 to 128 bytes of UTF-8 without control characters, compared bytewise.
///
/// A *channel* is a group of peers; it is neither an `RTCDataChannel` nor the signaling channel.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct ChannelName(SmolStr);

impl ChannelName {
    /// Longest name in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Checks `name` and takes it over.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] when it is empty, longer than [`ChannelName::MAX_BYTES`] or has a control character.
    pub fn new(name: &str) -> Result<Self, InvalidId> {
        Self::check(name).map(|()| Self(SmolStr::new(name)))
    }

    pub(crate) fn check(name: &str) -> Result<(), InvalidId> {
        let length_fits = (1..=Self::MAX_BYTES).contains(&name.len());
        if length_fits && !name.chars().any(char::is_control) { Ok(()) } else { Err(InvalidId) }
    }

    /// The name `~NAMESPACE:NAME`, of a channel that only sessions of this namespace can join.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] as for [`ChannelName::new`], of the whole.
    pub fn within(namespace: &str, name: &str) -> Result<Self, InvalidId> {
        Self::check(name)?;
        Self::new(&format!("~{namespace}:{name}"))
    }

    /// Whether only a match makes a channel of this name: it begins with `~`, and has no namespace.
    #[must_use]
    pub fn is_of_a_match(&self) -> bool {
        self.0.starts_with('~') && self.namespace().is_none()
    }

    /// The namespace of [`ChannelName::within`].
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        namespace(&self.0)
    }

    /// The name without its namespace.
    #[must_use]
    pub fn local(&self) -> &str {
        local(&self.0)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a pool of strangers: the same rules as for the name of a channel.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct PoolName(SmolStr);

impl PoolName {
    /// Checks `name` and takes it over.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] as for [`ChannelName::new`].
    pub fn new(name: &str) -> Result<Self, InvalidId> {
        Self::check(name).map(|()| Self(SmolStr::new(name)))
    }

    pub(crate) fn check(name: &str) -> Result<(), InvalidId> {
        ChannelName::check(name)
    }

    /// The name `~NAMESPACE:NAME`, of a pool in which only sessions of this namespace wait.
    ///
    /// # Errors
    ///
    /// As for [`ChannelName::within`].
    pub fn within(namespace: &str, name: &str) -> Result<Self, InvalidId> {
        ChannelName::within(namespace, name).map(|name| Self(name.0))
    }

    /// The namespace of [`PoolName::within`].
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        namespace(&self.0)
    }

    /// The name without its namespace.
    #[must_use]
    pub fn local(&self) -> &str {
        local(&self.0)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn namespace(name: &str) -> Option<&str> {
    name.strip_prefix('~')?.split_once(':').map(|(namespace, _)| namespace)
}

fn local(name: &str) -> &str {
    let within = name.strip_prefix('~').and_then(|name| name.split_once(':'));
    within.map_or(name, |(_, local)| local)
}

/// An id or a name breaks the rules of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id or name is empty, too long or has a character that is not allowed")]
pub struct InvalidId;

macro_rules! text_id {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<SmolStr> for $name {
            type Error = InvalidId;

            fn try_from(text: SmolStr) -> Result<Self, InvalidId> {
                Self::check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for SmolStr {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

text_id!(PeerId);
text_id!(ChannelName);
text_id!(PoolName);

/// What a client put into a request to recognise the answer: a number below 2^53 or up to 64 bytes of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestId {
    /// An integer that every JSON implementation can hold exactly.
    Number(u64),
    /// Any short text.
    Text(SmolStr),
}

impl RequestId {
    /// The first number that is too large: 2^53.
    pub const NUMBER_END: u64 = 1 << 53;
    /// Longest text in bytes.
    pub const MAX_BYTES: usize = 64;
}

/// The handle of one session on this machine.
///
/// The driver chooses it: a small number that is free again after [`Output::Ended`](crate::Output::Ended).
/// The hub keeps a table as long as the largest one in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// Names one question that the hub has put to the outside, an authorisation or an append, until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    pub(crate) session: SessionId,
    pub(crate) serial: u64,
}

impl Token {
    /// The session on whose behalf the hub asks.
    #[must_use]
    pub fn session(self) -> SessionId {
        self.session
    }
}

/// The place of an entry in the log. Strictly increasing over all channels of one log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// One life of a log. Drawn at random by whoever starts it, so that positions of two lives cannot be confused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Names an introduction: `<epoch>.<position of the entry that made it>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// The life of the log.
    pub epoch: Epoch,
    /// The larger of the two positions at which the introduced peers joined; in a star that of the entry which has made
    /// one of them the host, if it is larger still.
    pub position: Position,
}

impl ConnectionId {
    /// Longest text of a connection id in bytes that a client may send.
    pub const MAX_BYTES: usize = 64;
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.epoch.0, self.position.0)
    }
}

impl FromStr for ConnectionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let dot = text.bytes().position(|byte| byte == b'.').ok_or(InvalidId)?;
        let (epoch, position) = (&text[..dot], &text[dot + 1..]);
        // One spelling only: a client compares the text, so another spelling is another id.
        let is_plain = |digits: &str| !matches!(digits.as_bytes(), [b'0', _, ..] | [b'+', ..]);
        if !is_plain(epoch) || !is_plain(position) {
            return Err(InvalidId);
        }
        let epoch = lower_hex(epoch).ok_or(InvalidId)?;
        let position = position.parse().map_err(|_| InvalidId)?;
        Ok(Self { epoch: Epoch(epoch), position: Position(position) })
    }
}

fn lower_hex(digits: &str) -> Option<u64> {
    (1..=16).contains(&digits.len()).then_some(())?;
    let (mut number, mut all) = (0, 0);
    for byte in digits.bytes() {
        let digit = HEX[usize::from(byte)];
        number = number << 4 | u64::from(digit);
        all |= digit;
    }
    (all < 16).then_some(number)
}

/// What each byte is as a digit; more than 15 if it is none.
const HEX: [u8; 256] = {
    let mut values = [0x10; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};
