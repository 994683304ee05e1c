//! JSON that the server hands on without looking inside.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// One JSON value, borrowed from the frame it came in. Printing it shows its length only.
#[derive(Clone, Copy)]
pub struct Payload<'a>(&'a RawValue);

impl<'a> Payload<'a> {
    /// The JSON value `null`.
    pub const NULL: Payload<'static> = Payload(RawValue::NULL);

    /// Wraps a value that the codec has checked.
    #[must_use]
    pub fn new(json: &'a RawValue) -> Self {
        Self(json)
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0.get()
    }

    /// Copies the value out of the frame.
    #[must_use]
    pub fn to_owned(self) -> OwnedPayload {
        OwnedPayload(self.0.to_owned())
    }
}

/// One JSON value that is kept, such as the userdata of a member. Printing it shows its length only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnedPayload(Box<RawValue>);

impl OwnedPayload {
    /// Takes over any JSON text.
    ///
    /// # Errors
    ///
    /// The parser's, when `json` is not exactly one JSON value.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self)
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

impl Deref for OwnedPayload {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for OwnedPayload {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for OwnedPayload {}

impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Payload<'_> {}

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
