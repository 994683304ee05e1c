//! WebSocket frames as a browser writes and reads them (RFC 6455).

use std::{borrow::Cow, ops::Range};

use crate::Result;

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// The payload of a close frame with code 1000.
pub(crate) const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

/// The request that opens a WebSocket.
pub(crate) fn request(host: impl std::fmt::Display, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

/// The length of the answer to [`request`], once it is there in full.
pub(crate) fn parse_answer(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
        Ok(Some(end + 4))
    } else {
        Err(format!("no upgrade: {head}").into())
    }
}

/// The code and the reason of a close frame, if it has them.
pub(crate) fn parse_close(payload: &[u8]) -> (u16, Cow<'_, str>) {
    match payload {
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), String::from_utf8_lossy(reason)),
        // What RFC 6455 calls a close without a code.
        _ => (1005, Cow::Borrowed("")),
    }
}

/// Appends a masked frame.
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    for word in out[start..].chunks_mut(MASK.len()) {
        word.iter_mut().zip(MASK).for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// One frame of a server.
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Range<usize>,
}

/// The first frame in `bytes`, once it is there in full. Its payload is where it ends.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Frame>> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    if first & 0xF0 != 0x80 || second & 0x80 != 0 {
        return Err("a frame of the server is fragmented, compressed or masked".into());
    }
    let (start, length): (usize, usize) = match (second, rest) {
        (126, &[a, b, ..]) => (4, usize::from(u16::from_be_bytes([a, b]))),
        (127, &[a, b, c, d, e, f, g, h, ..]) => {
            (10, usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h]))?)
        }
        (126 | 127, _) => return Ok(None),
        (length, _) => (2, usize::from(length)),
    };
    let payload = start..start.saturating_add(length);
    Ok((payload.end <= bytes.len()).then_some(Frame { opcode: first & 0x0F, payload }))
}

/// The example of RFC 6455, section 1.3, and what a server has to make of it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Against proxies, which are not here: any will do, but 0, which a server could treat apart.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_lengths_are_masked_and_read() {
        for length in [0, 1, 125, 126, 0xFFFF, 0x1_0000] {
            let text: Vec<_> = (0..length).map(|index| index as u8).collect();
            let mut frame = Vec::new();
            write(&mut frame, TEXT, &text);
            let start = frame.len() - length;
            assert_eq!(frame.drain(start - MASK.len()..start).as_slice(), MASK);
            let start = start - MASK.len();
            frame[start..].iter_mut().zip(MASK.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            frame[1] &= 0x7F;

            assert!(parse(&frame[..frame.len() - 1]).unwrap().is_none());
            frame.push(0x81);
            let parsed = parse(&frame).unwrap().unwrap();
            assert_eq!((parsed.opcode, &frame[parsed.payload]), (TEXT, &text[..]));
        }
    }

    #[test]
    fn fragments_are_refused() {
        assert!(parse(&[TEXT, 0]).is_err());
    }
}
