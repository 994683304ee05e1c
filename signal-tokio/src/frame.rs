//! One message, shared by all its recipients.

use std::sync::Arc;

use crate::websocket::frame::{Head, Opcode};

/// One message. Cloning counts a reference.
///
/// It stands behind the head of its WebSocket frame: that of a server depends on nothing but its length (RFC 6455,
/// section 5.2), so it is written once, too, and a socket sends these bytes as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Arc<[u8]>,
    /// Where the message begins.
    start: u8,
}

impl Frame {
    /// A text message.
    #[must_use]
    pub fn text(text: &str) -> Self {
        FrameBuffer::default().frame(|buffer| buffer.extend_from_slice(text.as_bytes()))
    }

    /// A binary message. The protocol has none.
    #[must_use]
    pub fn binary(bytes: &[u8]) -> Self {
        FrameBuffer::default().frame_of(Opcode::Binary, |buffer| buffer.extend_from_slice(bytes))
    }

    /// The message as a frame of WebSocket, as a server sends it.
    #[must_use]
    pub fn as_websocket(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_websocket(self) -> Arc<[u8]> {
        self.bytes
    }
}

/// The message alone. That of a text is UTF-8.
impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..]
    }
}

/// Where messages are encoded, so that each allocates nothing but its frame.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffer(Vec<u8>);

impl FrameBuffer {
    /// The text message that `encode` appends.
    pub(crate) fn frame(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Frame {
        self.frame_of(Opcode::Text, encode)
    }

    fn frame_of(&mut self, opcode: Opcode, encode: impl FnOnce(&mut Vec<u8>)) -> Frame {
        self.0.clear();
        self.0.extend([0; Head::MOST]);
        encode(&mut self.0);
        let head = Head::new(opcode, self.0.len() - Head::MOST);
        let head = head.as_bytes();
        let start = Head::MOST - head.len();
        self.0[start..Head::MOST].copy_from_slice(head);
        // At most `Head::MOST`.
        Frame { bytes: self.0[start..].into(), start: head.len() as u8 }
    }
}
