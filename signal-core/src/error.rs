//! What a peer can do wrong, as it is told on the wire.

use std::fmt;

/// The `code` of an `error` message. The list is closed; `docs/protocol.md` has a row for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The frame is not JSON, or a field is missing or of the wrong type. An error of form.
    BadMessage,
    /// The message or one of its parts is larger than its bound. An error of form.
    TooLarge,
    /// The `type` is not known. An error of form.
    UnknownType,
    /// The policy refuses the request.
    Unauthorized,
    /// No peer with that id is introduced to the sender.
    UnknownPeer,
    /// No live introduction of the two peers has that connection id.
    StaleConnection,
    /// The peer is not in that channel.
    NotJoined,
    /// The channel has as many members as it may have.
    ChannelFull,
    /// A bound of the server is reached.
    Limit,
    /// The server could not decide in time; the request may be repeated.
    Unavailable,
    /// The client speaks another version of the protocol.
    UnsupportedVersion,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 11] = [
        Self::BadMessage,
        Self::TooLarge,
        Self::UnknownType,
        Self::Unauthorized,
        Self::UnknownPeer,
        Self::StaleConnection,
        Self::NotJoined,
        Self::ChannelFull,
        Self::Limit,
        Self::Unavailable,
        Self::UnsupportedVersion,
    ];

    /// The code as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadMessage => "bad_message",
            Self::TooLarge => "too_large",
            Self::UnknownType => "unknown_type",
            Self::Unauthorized => "unauthorized",
            Self::UnknownPeer => "unknown_peer",
            Self::StaleConnection => "stale_connection",
            Self::NotJoined => "not_joined",
            Self::ChannelFull => "channel_full",
            Self::Limit => "limit",
            Self::Unavailable => "unavailable",
            Self::UnsupportedVersion => "unsupported_version",
        }
    }

    /// One sentence for people, sent as `message` when there is nothing more exact to say.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::BadMessage => "The message is not of the form that the protocol asks for.",
            Self::TooLarge => "The message or one of its parts is larger than allowed.",
            Self::UnknownType => "The type of the message is not known.",
            Self::Unauthorized => "This is not allowed for you.",
            Self::UnknownPeer => "There is no peer with that id that you are introduced to.",
            Self::StaleConnection => "That connection id belongs to no live introduction of the two of you.",
            Self::NotJoined => "You are not in that channel.",
            Self::ChannelFull => "The channel is full.",
            Self::Limit => "A limit of the server is reached.",
            Self::Unavailable => "The server could not decide in time. Try again.",
            Self::UnsupportedVersion => "This version of the protocol is not spoken here.",
        }
    }

    /// Whether the code says that the frame itself is wrong. Too many of these close the socket.
    #[must_use]
    pub fn is_error_of_form(self) -> bool {
        matches!(self, Self::BadMessage | Self::TooLarge | Self::UnknownType)
    }

    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
