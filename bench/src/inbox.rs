//! What has arrived at once, in one buffer that is used again.

use std::ops::Range;

/// Messages, and the clients that got them.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) bytes: Vec<u8>,
    /// Up to here the bytes belong to messages.
    pub(crate) filled: usize,
    pub(crate) frames: Vec<(usize, Range<usize>)>,
    pub(crate) closed: Vec<usize>,
}

/// Stands in the inbox where a socket has opened.
pub(crate) const OPENED: &[u8] = b"";

impl Inbox {
    /// The messages, in the order in which they came for each client.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.frames.iter().map(|(client, range)| (*client, &self.bytes[range.clone()]))
    }

    /// The clients that wanted to leave and whose sockets are closed now.
    pub(crate) fn closed(&self) -> impl Iterator<Item = usize> {
        self.closed.iter().copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.closed.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.filled = 0;
        self.frames.clear();
        self.closed.clear();
    }

    /// Room for so many bytes after those that are filled.
    pub(crate) fn room(&mut self, length: usize) -> &mut [u8] {
        let end = self.filled + length;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.filled..end]
    }
}
