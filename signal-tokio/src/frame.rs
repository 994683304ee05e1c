//! One message, shared by all its recipients.

use std::{
    fmt,
    ops::{Deref, Range},
    sync::Arc,
};

use crate::websocket::frame::{Head, Opcode};

/// One message. Cloning counts a reference.
///
/// It stands behind the head of its WebSocket frame: that of a server depends on nothing but its length (RFC 6455,
/// section 5.2), so it is written once, too, and a socket sends these bytes as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Slice,
    /// How long the head is.
    head: u8,
}

/// A part of bytes that are shared.
#[derive(Clone)]
pub(crate) struct Slice {
    block: Arc<[u8]>,
    range: Range<usize>,
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
        Self::of(Opcode::Binary, bytes)
    }

    pub(crate) fn of(opcode: Opcode, payload: &[u8]) -> Self {
        FrameBuffer::default().frame_of(opcode, |buffer| buffer.extend_from_slice(payload))
    }

    /// The message as a frame of WebSocket, as a server sends it.
    #[must_use]
    pub fn as_websocket(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_websocket(self) -> Slice {
        self.bytes
    }
}

/// The message alone. That of a text is UTF-8.
impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[usize::from(self.head)..]
    }
}

impl Slice {
    /// Leaves out so many bytes at the start, or all if there are fewer.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.range.start = self.range.end.min(self.range.start + bytes);
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block[self.range.clone()]
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slice").field(&&**self).finish()
    }
}

impl From<&[u8]> for Slice {
    fn from(bytes: &[u8]) -> Self {
        Self { block: bytes.into(), range: 0..bytes.len() }
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
        let Part { range, head } = append(&mut self.0, opcode, encode);
        Frame { bytes: self.0[range].into(), head }
    }
}

/// Where messages are encoded that follow each other, so that all of them allocate one block.
#[derive(Debug, Default)]
pub(crate) struct FrameBlock {
    bytes: Vec<u8>,
    frames: Vec<Part>,
}

impl FrameBlock {
    /// Adds the text message that `encode` appends.
    pub(crate) fn add(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let part = append(&mut self.bytes, Opcode::Text, encode);
        self.frames.push(part);
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// All that was added.
    pub(crate) fn take(&mut self) -> impl ExactSizeIterator<Item = Frame> {
        let block: Arc<[u8]> = self.bytes.as_slice().into();
        self.bytes.clear();
        let frame =
            move |Part { range, head }| Frame { bytes: Slice { block: Arc::clone(&block), range }, head };
        self.frames.drain(..).map(frame)
    }
}

/// Where a frame is, and how long its head.
#[derive(Debug)]
struct Part {
    range: Range<usize>,
    head: u8,
}

fn append(bytes: &mut Vec<u8>, opcode: Opcode, encode: impl FnOnce(&mut Vec<u8>)) -> Part {
    let message = bytes.len() + Head::MOST;
    bytes.resize(message, 0);
    encode(bytes);
    let head = Head::new(opcode, bytes.len() - message);
    let head = head.as_bytes();
    let start = message - head.len();
    bytes[start..message].copy_from_slice(head);
    // At most `Head::MOST`.
    Part { range: start..bytes.len(), head: head.len() as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_block_are_as_if_each_was_alone() {
        let texts = ["", "a", &"b".repeat(126), &"c".repeat(70_000), "d"];
        let mut block = FrameBlock::default();
        for _ in 0..2 {
            texts.iter().for_each(|text| block.add(|bytes| bytes.extend_from_slice(text.as_bytes())));
            let frames: Vec<_> = block.take().collect();
            assert!(frames.iter().all(|frame| Arc::ptr_eq(&frame.bytes.block, &frames[0].bytes.block)));
            assert_eq!(frames, texts.map(Frame::text));
            assert_eq!(frames.iter().map(Frame::as_ref).collect::<Vec<_>>(), texts.map(str::as_bytes));
            assert_eq!(block.len(), 0);
        }
    }
}
