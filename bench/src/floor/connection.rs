//! One socket.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    os::fd::OwnedFd,
};

use rustix::{
    event::epoll::{self, Event, EventData, EventFlags},
    io::Errno,
};

use super::counts::Counts;

/// What the kernel is asked, and how often it was.
pub(super) struct System {
    pub(super) epoll: OwnedFd,
    pub(super) counts: Counts,
}

impl System {
    pub(super) fn wait(&mut self, events: &mut Vec<Event>) -> io::Result<()> {
        events.clear();
        self.counts.epoll_wait += 1;
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) struct Connection {
    pub(super) stage: Stage,
    stream: TcpStream,
    /// The start of what has not come in full.
    unread: Vec<u8>,
    /// What waits for the end of a turn, or until the socket takes more. It keeps its memory, so that a storm finds it.
    unsent: Vec<u8>,
    /// Whether epoll is to tell when it takes more.
    is_blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not asked for a WebSocket yet.
    Request,
    /// It has not named its channel yet.
    Open,
    Member {
        channel: usize,
        partner: Option<usize>,
    },
}

impl Connection {
    pub(super) fn new(socket: OwnedFd) -> Self {
        let (stage, stream) = (Stage::Request, socket.into());
        Self { stage, stream, unread: Vec::new(), unsent: Vec::new(), is_blocked: false }
    }

    /// Puts what was kept, and what has come since, at the start of `input`. How many bytes these are.
    pub(super) fn read(&mut self, input: &mut [u8], counts: &mut Counts) -> io::Result<usize> {
        let kept = self.unread.len();
        input[..kept].copy_from_slice(&self.unread);
        self.unread = Vec::new();
        counts.recv += 1;
        match self.stream.read(&mut input[kept..]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => Ok(kept + read),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(kept),
            Err(error) => Err(error),
        }
    }

    /// Keeps the start of what has not come in full.
    pub(super) fn keep(&mut self, start: &[u8]) {
        self.unread.extend_from_slice(start);
    }

    /// Sends this now, unless something else waits.
    pub(super) fn send(&mut self, bytes: &[u8], system: &mut System, client: usize) -> io::Result<()> {
        let written =
            if self.unsent.is_empty() { write(&mut self.stream, bytes, &mut system.counts)? } else { 0 };
        self.put(&bytes[written..]);
        self.watch(&system.epoll, client)
    }

    /// Whether nothing waits to be sent.
    pub(super) fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// This waits for a [`flush`](Self::flush) at the end of the turn. Who leaves too much unread is cut off: epoll will tell.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.unsent.len() + bytes.len() <= MOST_UNSENT {
            self.unsent.extend_from_slice(bytes);
        } else {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn flush(&mut self, system: &mut System, client: usize) -> io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let written = write(&mut self.stream, &self.unsent, &mut system.counts)?;
        self.unsent.drain(..written);
        self.watch(&system.epoll, client)
    }

    /// Has epoll tell when what waits can be sent.
    fn watch(&mut self, epoll: &OwnedFd, client: usize) -> io::Result<()> {
        let is_blocked = !self.unsent.is_empty();
        if is_blocked != self.is_blocked {
            self.is_blocked = is_blocked;
            let flags = if is_blocked { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(epoll, &self.stream, EventData::new_u64(client as u64), flags)?;
        }
        Ok(())
    }
}

/// How much the socket takes now.
fn write(stream: &mut TcpStream, bytes: &[u8], counts: &mut Counts) -> io::Result<usize> {
    counts.send += 1;
    match stream.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}

/// What one client may leave unread, in bytes. A storm of 1,000 is 200 KB for each.
const MOST_UNSENT: usize = 1 << 20;
