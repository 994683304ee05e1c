//! What the floor has done, which tells whether it is one.

use std::{
    array, io,
    io::{Read, Write},
    net::TcpListener,
    ops::{Add, Sub},
};

/// System calls of its connections, and what they were for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) recv: u64,
    pub(crate) send: u64,
    pub(crate) epoll_wait: u64,
    pub(crate) relayed: u64,
    pub(crate) notices: u64,
}

impl Counts {
    /// Answers one request to `listener`, while all else waits.
    pub(super) fn tell(self, listener: &TcpListener) -> io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            request.extend(byte);
        }
        let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", self.to_text());
        stream.write_all(answer.as_bytes())
    }

    fn to_text(self) -> String {
        let values = NAMES.into_iter().zip(self.to_array());
        values.map(|(name, value)| format!("{name} {value}\n")).collect()
    }

    /// Reads what the floor has answered.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
            line.parse().ok()
        };
        let values = NAMES.map(value);
        values.iter().all(Option::is_some).then(|| Self::from_array(values.map(Option::unwrap_or_default)))
    }

    fn to_array(self) -> [u64; NAMES.len()] {
        [self.recv, self.send, self.epoll_wait, self.relayed, self.notices]
    }

    fn from_array([recv, send, epoll_wait, relayed, notices]: [u64; NAMES.len()]) -> Self {
        Self { recv, send, epoll_wait, relayed, notices }
    }
}

/// What was done since the other one was taken.
impl Sub for Counts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let (now, then) = (self.to_array(), earlier.to_array());
        Self::from_array(array::from_fn(|index| now[index] - then[index]))
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (a, b) = (self.to_array(), other.to_array());
        Self::from_array(array::from_fn(|index| a[index] + b[index]))
    }
}

const NAMES: [&str; 5] = [
    "floor_recv_total",
    "floor_send_total",
    "floor_epoll_wait_total",
    "floor_relayed_total",
    "floor_notices_total",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_and_read() {
        let earlier = Counts { recv: 1, send: 2, epoll_wait: 3, relayed: 4, notices: 5 };
        let text = Counts { recv: 11, send: 13, ..earlier }.to_text();
        let spent = Counts::parse(&text).unwrap() - earlier;
        assert_eq!(spent, Counts { recv: 10, send: 11, ..Counts::default() });
        assert_eq!(Counts::parse("floor_recv_total 1\n"), None);
    }
}
