//! How large a frame and its parts may be.

/// The bounds that a frame from a client is held to before anything in it is passed on. All sizes are in bytes of
/// JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// The whole message, 64 KiB: an offer with video, audio and simulcast has 3 to 20 KiB. A larger one is answered
    /// `too_large`.
    pub message: usize,
    /// How much of a message is read at all, 128 KiB: twice the bound, so that who is a little above it is told so. The
    /// decoder never sees a larger one: its socket is closed with 1009.
    pub read: usize,
    /// Depth of nesting, 16, the message itself included. A receiver that parses recursively fails at some depth.
    pub depth: usize,
    /// Keys in one object, 64.
    pub keys: usize,
    /// A session description, 32 KiB.
    pub session_description: usize,
    /// An ICE candidate, 2 KiB.
    pub ice_candidate: usize,
    /// Userdata, 1 KiB: every newcomer gets that of every member.
    pub userdata: usize,
    /// A token of `hello`, 4 KiB.
    pub token: usize,
}

impl FrameLimits {
    /// The largest depth that can be configured.
    pub const MAX_DEPTH: usize = 64;
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self {
            message: 64 << 10,
            read: 128 << 10,
            depth: 16,
            keys: 64,
            session_description: 32 << 10,
            ice_candidate: 2 << 10,
            userdata: 1 << 10,
            token: 4 << 10,
        }
    }
}
