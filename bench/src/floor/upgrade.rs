//! From HTTP to a WebSocket (RFC 6455, section 4.2).

use std::io::{self, ErrorKind};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

/// The length of the request at the start of `bytes`, once it is there in full, and the answer.
pub(super) fn answer(bytes: &[u8]) -> io::Result<Option<(usize, String)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = str::from_utf8(&bytes[..end]).map_err(|_| ErrorKind::InvalidData)?;
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then_some(value.trim())
    });
    let key = key.ok_or(ErrorKind::InvalidData)?;
    let accept = BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(Some((end + 4, answer)))
}

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket;

    #[test]
    fn requests_are_answered_once_they_are_there_in_full() {
        let request = websocket::request("localhost", "/") + "more";
        let length = request.len() - 4;
        assert_eq!(answer(&request.as_bytes()[..length - 1]).unwrap(), None);
        let (end, answer) = answer(request.as_bytes()).unwrap().unwrap();
        assert_eq!(end, length);
        assert_eq!(websocket::parse_answer(answer.as_bytes()).unwrap(), Some(answer.len()));
    }

    #[test]
    fn a_request_for_something_else_is_refused() {
        assert!(answer(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").is_err());
    }
}
