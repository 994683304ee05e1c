//! The floor: the least that a server can do for a relayed message, to measure the others by.
//!
//! One thread, epoll, and for each message one `recv` and one `send`. It upgrades to WebSockets and rewrites their frames
//! as all do, but knows no JSON, no timers, no sessions and no acknowledgements. The first message of a client names its
//! channel. In a channel of two, what one says from then on goes to the other. In any channel, who joins and who is there
//! are told of each other; these notices wait until all that epoll has told of is done, and one `send` takes all that are
//! for the same client.

mod channel;
mod connection;
mod counts;
mod frame;
mod upgrade;

use std::{
    io::{self, ErrorKind, Write},
    net::TcpListener,
};

use rustix::{
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    io::Errno,
    net::{SocketFlags, accept_with, sockopt},
};
use slab::Slab;

pub(crate) use self::counts::Counts;
use self::{
    channel::Channels,
    connection::{Connection, Stage, System},
};
use crate::{Result, websocket::TEXT};

/// Serves until standard input, a pipe, ends.
pub(crate) fn run() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    // Connections inherit it.
    sockopt::set_tcp_nodelay(&listener, true)?;
    let metrics = TcpListener::bind("127.0.0.1:0")?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    epoll::add(&epoll, &metrics, EventData::new_u64(METRICS), EventFlags::IN)?;
    epoll::add(&epoll, io::stdin(), EventData::new_u64(STDIN), EventFlags::IN)?;
    writeln!(io::stdout(), "metrics on http://{}", metrics.local_addr()?)?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;

    let mut floor = Floor {
        system: System { epoll, counts: Counts::default() },
        connections: Slab::new(),
        channels: Channels::default(),
        told: Vec::new(),
        input: vec![0; MOST_INPUT],
        output: Vec::new(),
    };
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        floor.system.wait(&mut events)?;
        for event in &events {
            match event.data.u64() {
                LISTENER => floor.accept(&listener)?,
                METRICS => floor.system.counts.tell(&metrics)?,
                STDIN => return Ok(()),
                client => floor.serve(client as usize, event.flags),
            }
        }
        floor.send_notices();
    }
}

struct Floor {
    system: System,
    connections: Slab<Connection>,
    channels: Channels,
    /// For whom notices wait.
    told: Vec<usize>,
    /// All that is read and relayed goes through these two.
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Floor {
    /// One at a time: if there are more, epoll tells it again.
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        match accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok(socket) => {
                let entry = self.connections.vacant_entry();
                let data = EventData::new_u64(entry.key() as u64);
                epoll::add(&self.system.epoll, &socket, data, EventFlags::IN)?;
                entry.insert(Connection::new(socket));
                Ok(())
            }
            // It has gone already.
            Err(Errno::AGAIN | Errno::CONNABORTED) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A client may be gone since epoll has told of it, and another one may have its place: that one has nothing to read,
    /// which does no harm.
    fn serve(&mut self, client: usize, flags: EventFlags) {
        if flags.contains(EventFlags::OUT) {
            self.flush(client);
        }
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            let done = self.read(client);
            self.close_if_failed(done, client);
        }
    }

    /// Reads once: if there is more, epoll tells it again.
    fn read(&mut self, client: usize) -> io::Result<()> {
        let Self { system, connections, channels, told, input, output } = self;
        let Some(connection) = connections.get_mut(client) else { return Ok(()) };
        let end = connection.read(input, &mut system.counts)?;
        let mut start = 0;
        if connection.stage == Stage::Request
            && let Some((length, answer)) = upgrade::answer(&input[..end])?
        {
            connection.stage = Stage::Open;
            connection.send(answer.as_bytes(), system, client)?;
            start = length;
        }
        output.clear();
        while connections[client].stage != Stage::Request
            && let Some(frame) = frame::parse(&input[start..end])?
        {
            let payload = &mut input[start..][frame.payload.clone()];
            frame::unmask(payload, frame.mask);
            match (frame.opcode, connections[client].stage) {
                (TEXT, Stage::Open) => {
                    system.counts.notices += channels.join(client, payload, connections, told)
                }
                (TEXT, Stage::Member { partner: Some(_), .. }) => {
                    frame::write(output, payload);
                    system.counts.relayed += 1;
                }
                // It closes, or says what no client of the bench says.
                _ => return Err(ErrorKind::ConnectionAborted.into()),
            }
            start += frame.payload.end;
        }
        let connection = &mut connections[client];
        connection.keep(&input[start..end]);
        if let Stage::Member { partner: Some(partner), .. } = connection.stage
            && !output.is_empty()
        {
            let done = connections[partner].send(output, system, partner);
            self.close_if_failed(done, partner);
        }
        Ok(())
    }

    fn send_notices(&mut self) {
        let mut told = std::mem::take(&mut self.told);
        told.drain(..).for_each(|client| self.flush(client));
        self.told = told;
    }

    fn flush(&mut self, client: usize) {
        let Some(connection) = self.connections.get_mut(client) else { return };
        let done = connection.flush(&mut self.system, client);
        self.close_if_failed(done, client);
    }

    fn close_if_failed(&mut self, done: io::Result<()>, client: usize) {
        if done.is_err() && self.connections.contains(client) {
            self.channels.leave(client, &mut self.connections);
            // Its socket is closed with it, and epoll forgets it.
            self.connections.remove(client);
        }
    }
}

/// What epoll tells of that is no connection.
const LISTENER: u64 = u64::MAX;
const METRICS: u64 = u64::MAX - 1;
const STDIN: u64 = u64::MAX - 2;
/// At most so many things are told at once: as many as there are members in a storm.
const EVENTS: usize = 1024;
/// What is read at once. Clients send smaller frames.
const MOST_INPUT: usize = 64 << 10;
