//! The text of one message, shared by all its recipients.

use bytes::Bytes;

/// The text of one message. Cloning counts a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// Copies `text` into storage of its own, in one allocation for up to 8 KiB and two above.
    ///
    /// [`Bytes`] keeps its count of references apart from bytes that come as a vector, which makes two. An owner
    /// that holds the bytes in place makes one; storage is then up to twice the text.
    pub(crate) fn copy_from(text: &[u8]) -> Self {
        Self(match text.len() {
            0..=128 => Block::<128>::copy_from(text),
            129..=256 => Block::<256>::copy_from(text),
            257..=512 => Block::<512>::copy_from(text),
            513..=1024 => Block::<1024>::copy_from(text),
            1025..=2048 => Block::<2048>::copy_from(text),
            2049..=4096 => Block::<4096>::copy_from(text),
            4097..=8192 => Block::<8192>::copy_from(text),
            _ => Bytes::copy_from_slice(text),
        })
    }

    /// The text as bytes; it is UTF-8.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct Block<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Block<N> {
    fn copy_from(text: &[u8]) -> Bytes {
        let mut block = Self { length: text.len(), bytes: [0; N] };
        block.bytes[..text.len()].copy_from_slice(text);
        Bytes::from_owner(block)
    }
}

impl<const N: usize> AsRef<[u8]> for Block<N> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
