//! JSON that the server hands on without looking inside.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// One JSON value, borrowed from the frame it came in. Printing it shows its length only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a>(&'a str);

impl<'a> Payload<'a> {
    /// The JSON value `null`.
    pub const NULL: Payload<'static> = Payload("null");

    /// Wraps any JSON value.
    #[must_use]
    pub fn new(json: &'a RawValue) -> Self {
        Self(json.get())
    }

    /// Wraps one JSON value that the codec has read.
    pub(crate) fn checked(json: &'a str) -> Self {
        Self(json)
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Copies the value out of the frame.
    #[must_use]
    pub fn to_owned(self) -> OwnedPayload {
        OwnedPayload(self.0.into())
    }
}

/// One JSON value that is kept, such as the userdata of a member. Printing it shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedPayload(Box<str>);

impl OwnedPayload {
    /// Takes over any JSON text.
    ///
    /// # Errors
    ///
    /// The parser's, when `json` is not exactly one JSON value.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// Borrows the value for a message.
    #[must_use]
    pub fn as_payload(&self) -> Payload<'_> {
        Payload(&self.0)
    }
}

/// Reads a key that is there. Unlike serde's `Option` it keeps the value `null` apart from an absent key.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OwnedPayload>, D::Error> {
    OwnedPayload::deserialize(deserializer).map(Some)
}

/// As the value itself, which serde_json has to look at for that.
impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Serialize for OwnedPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_payload().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OwnedPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|json| Self(json.into()))
    }
}

impl Deref for OwnedPayload {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.as_str().len())
    }
}

impl fmt::Debug for OwnedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_payload(), f)
    }
}
