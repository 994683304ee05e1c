//! Frames (RFC 6455, section 5.2).

use std::ops::Range;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// What is wrong with what a client has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no frame of a client.
    Protocol,
    /// It is text, but not UTF-8.
    NotUtf8,
    /// It is more than is read.
    TooLarge,
}

/// A frame of a client. The ranges are those of the bytes that it was [read](read) from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) opcode: Opcode,
    /// Whether its message ends with it.
    pub(crate) is_last: bool,
    pub(crate) mask: [u8; 4],
    pub(crate) payload: Range<usize>,
}

/// The most that a control frame carries.
pub(crate) const MOST_CONTROL: usize = 125;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// The frame that `bytes` begin with, once it is there in full. Its payload may have `most` bytes.
///
/// # Errors
///
/// The [`Fault`] of a frame, as soon as it can be seen.
pub(crate) fn read(bytes: &[u8], most: usize) -> Result<Option<Incoming>, Fault> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let opcode = Opcode::from_bits(first & OPCODE).ok_or(Fault::Protocol)?;
    let (is_last, is_masked, short) = (first & FIN != 0, second & MASKED != 0, second & LENGTH);
    let is_odd = opcode.is_control() && (!is_last || usize::from(short) > MOST_CONTROL);
    if first & RESERVED != 0 || !is_masked || is_odd {
        return Err(Fault::Protocol);
    }
    let (length, rest) = match short {
        LENGTH_16 => match rest.split_first_chunk() {
            Some((length, rest)) => (usize::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        LENGTH_64 => match rest.split_first_chunk() {
            Some((length, rest)) => {
                (usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Fault::TooLarge)?, rest)
            }
            None => return Ok(None),
        },
        length => (usize::from(length), rest),
    };
    if length > most {
        return Err(Fault::TooLarge);
    }
    let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
    let start = bytes.len() - rest.len();
    let payload = start..start + length;
    Ok((rest.len() >= length).then_some(Incoming { opcode, is_last, mask: *mask, payload }))
}

/// Takes the mask off a payload (section 5.3), eight bytes at a time.
pub(crate) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    rest.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}

/// What stands before the payload of a frame of the server, which is neither masked nor in fragments.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Head {
    /// So many bytes at most.
    pub(crate) const MOST: usize = 10;

    pub(crate) fn new(opcode: Opcode, payload: usize) -> Self {
        let mut bytes = [0; Self::MOST];
        bytes[0] = FIN | opcode.bits();
        let length = match payload {
            0..=125 => {
                bytes[1] = payload as u8;
                2
            }
            126..=0xFFFF => {
                bytes[1] = LENGTH_16;
                bytes[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = LENGTH_64;
                bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
                Self::MOST
            }
        };
        Self { bytes, length }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 17;
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// A frame as a client sends it.
    fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let head = Head::new(opcode, payload.len());
        let mut frame = head.as_bytes().to_vec();
        frame[1] |= MASKED;
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    #[test]
    fn frames_of_all_lengths_are_read_once_they_are_whole() {
        for length in [0, 1, 7, 8, 125, 126, 127, 0xFFFF, 0x1_0000, MOST] {
            let payload: Vec<_> = (0..length).map(|index| index as u8).collect();
            let mut frame = masked(Opcode::Binary, &payload);
            let known = [0, 1, 2, 3, frame.len() - 1];
            for cut in known.into_iter().filter(|cut| *cut < frame.len()) {
                assert_eq!(read(&frame[..cut], MOST), Ok(None), "{cut} of {length}");
            }
            frame.extend(b"what follows");
            let Incoming { opcode, is_last, mask, payload: range } = read(&frame, MOST).unwrap().unwrap();
            assert_eq!((opcode, is_last, range.len()), (Opcode::Binary, true, length));
            unmask(&mut frame[range.clone()], mask);
            assert_eq!(frame[range.clone()], payload);
            assert_eq!(&frame[range.end..], b"what follows");
        }
    }

    #[test]
    fn what_is_no_frame_of_a_client_is_seen_by_its_first_bytes() {
        let faults: [(&str, &[u8], Fault); 9] = [
            ("not masked", &[0x81, 0x02], Fault::Protocol),
            ("compressed", &[0xC1, 0x82], Fault::Protocol),
            ("an unknown opcode", &[0x83, 0x80], Fault::Protocol),
            ("an unknown control opcode", &[0x8B, 0x80], Fault::Protocol),
            ("a ping in fragments", &[0x09, 0x80], Fault::Protocol),
            ("a long ping", &[0x89, 0x80 | 126], Fault::Protocol),
            ("one byte too many", &[0x82, 0xFF, 0, 0, 0, 0, 0, 2, 0, 1], Fault::TooLarge),
            ("more than there is", &[0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255], Fault::TooLarge),
            ("a length without end", &[0x81, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255], Fault::TooLarge),
        ];
        for (what, bytes, fault) in faults {
            assert_eq!(read(bytes, MOST), Err(fault), "{what}");
        }
    }
}
