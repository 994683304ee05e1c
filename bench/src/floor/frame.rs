//! Frames of clients, and what is made of them (RFC 6455, section 5.2).

use std::{
    io::{self, ErrorKind},
    ops::Range,
};

use crate::websocket::TEXT;

/// A frame that is there in full. Its payload is where it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) opcode: u8,
    pub(super) mask: [u8; MASK],
    pub(super) payload: Range<usize>,
}

/// The first frame in `bytes`, once it is there in full.
pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<Frame>> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    if first & 0xF0 != 0x80 || second & 0x80 == 0 {
        // Fragmented, compressed or unmasked: no client of the bench does that.
        return Err(ErrorKind::InvalidData.into());
    }
    let (length, start) = match (second & 0x7F, rest) {
        (126, &[a, b, ..]) => (usize::from(u16::from_be_bytes([a, b])), 4),
        (126, _) => return Ok(None),
        (127, _) => return Err(ErrorKind::FileTooLarge.into()),
        (length, _) => (usize::from(length), 2),
    };
    let payload = start + MASK..start + MASK + length;
    let mask = bytes.get(start..payload.end).and_then(<[u8]>::first_chunk);
    Ok(mask.map(|mask| Frame { opcode: first & 0x0F, mask: *mask, payload }))
}

pub(super) fn unmask(payload: &mut [u8], mask: [u8; MASK]) {
    let mask = u32::from_ne_bytes(mask);
    let mask = u64::from(mask) << 32 | u64::from(mask);
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ mask).to_ne_bytes();
    }
    rest.iter_mut().zip(mask.to_ne_bytes()).for_each(|(byte, mask)| *byte ^= mask);
}

/// Appends a text as a server sends it.
pub(super) fn write(out: &mut Vec<u8>, text: &[u8]) {
    out.push(0x80 | TEXT);
    if text.len() < 126 {
        out.push(text.len() as u8);
    } else {
        // No longer one is read, or told.
        out.push(126);
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    }
    out.extend_from_slice(text);
}

const MASK: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket;

    /// As a client sends it.
    fn masked(text: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        websocket::write(&mut frame, TEXT, text);
        frame
    }

    #[test]
    fn frames_of_all_lengths_are_read_and_written_anew() {
        for length in [0, 1, 7, 8, 125, 126, 127, 4096, 0xFFFF] {
            let text: Vec<_> = (0..length).map(|index| index as u8).collect();
            let mut bytes = masked(&text);
            for some in [0, 1, 2, 5, bytes.len() - 1] {
                assert_eq!(parse(&bytes[..some]).unwrap(), None, "{some} of {length}");
            }
            bytes.extend(masked(b"next"));
            let frame = parse(&bytes).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.payload.end), (TEXT, bytes.len() - masked(b"next").len()));
            let payload = &mut bytes[frame.payload];
            unmask(payload, frame.mask);
            assert_eq!(payload, text);

            let mut relayed = Vec::new();
            write(&mut relayed, payload);
            let parsed = websocket::parse(&relayed).unwrap().unwrap();
            assert_eq!((parsed.opcode, &relayed[parsed.payload]), (TEXT, &text[..]));
        }
    }

    #[test]
    fn what_clients_must_not_send_is_refused() {
        let mut unmasked = Vec::new();
        write(&mut unmasked, b"text");
        let mut fragment = masked(b"text");
        fragment[0] &= 0x7F;
        let too_long = masked(&[0; 0x1_0000]);
        for bytes in [unmasked, fragment, too_long] {
            assert!(parse(&bytes).is_err());
        }
    }
}
