//! The load generator: many clients on one thread, as cheap as it gets without leaving safe Rust.

use std::{
    collections::VecDeque,
    error::Error,
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    ops::Range,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    io::Errno,
    net::{self, AddressFamily, SocketFlags, SocketType, sockopt},
};

use crate::{
    Result,
    dialect::{Dialect, signal},
    inbox::{Inbox, OPENED},
    websocket::{self, CLOSE, PING, PONG, TEXT},
};

/// The clients of one run. They acknowledge as the JS client does, or send the heartbeats of their protocol.
pub(crate) struct Fleet {
    pub(crate) dialect: &'static dyn Dialect,
    server: SocketAddr,
    epoll: OwnedFd,
    events: Vec<Event>,
    clients: Vec<Client>,
    /// When to acknowledge or to send a heartbeat, by client. An entry that the client does not know is out of date.
    due: VecDeque<(Instant, usize)>,
    last_active: Instant,
    /// From this client on the server may turn them away.
    newcomers: usize,
    /// Those whose sockets it has not opened, or has closed, and what it has said.
    turned_away: Vec<(usize, String)>,
}

struct Client {
    stream: TcpStream,
    is_open: bool,
    /// Whether it has said that it leaves.
    is_leaving: bool,
    /// The start of a frame whose rest has not come.
    unread: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether it is to be told when it can write on.
    is_blocked: bool,
    /// Counted frames to the server, and how many of them it has acknowledged.
    sent: u64,
    confirmed: u64,
    /// Counted frames of the server, and how many of them are acknowledged.
    received: u64,
    acknowledged: u64,
    due: Option<Instant>,
}

impl Fleet {
    pub(crate) fn new(server: SocketAddr, dialect: &'static dyn Dialect) -> Result<Self> {
        Ok(Self {
            dialect,
            server,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(EVENTS),
            clients: Vec::new(),
            due: VecDeque::new(),
            last_active: Instant::now(),
            newcomers: usize::MAX,
            turned_away: Vec::new(),
        })
    }

    /// Clients that connect from now on may be turned away.
    pub(crate) fn let_newcomers_be_turned_away(&mut self) {
        self.newcomers = self.clients.len();
    }

    /// Those that were turned away since this was asked last.
    pub(crate) fn turned_away(&mut self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.turned_away)
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// One client more, which will be in this channel. [`OPENED`] will say that it can be used, unless the server says so.
    pub(crate) fn connect(&mut self, channel: &str) -> Result<()> {
        let client = self.open(self.clients.len(), channel)?;
        self.clients.push(client);
        Ok(())
    }

    /// The same for one whose socket is closed.
    pub(crate) fn connect_again(&mut self, client: usize, channel: &str) -> Result<()> {
        self.clients[client] = self.open(client, channel)?;
        Ok(())
    }

    fn open(&mut self, index: usize, channel: &str) -> Result<Client> {
        let stream = dial(self.server, index)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        // Closed by a reset: thousands of ports would wait for stray packets otherwise.
        sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        let data = EventData::new_u64(index as u64);
        epoll::add(&self.epoll, &stream, data, EventFlags::IN)?;
        let path = self.dialect.path(index, channel);
        (&stream).write_all(websocket::request(self.server, &path).as_bytes())?;
        self.last_active = Instant::now();
        Ok(Client {
            stream,
            is_open: false,
            is_leaving: false,
            unread: Vec::new(),
            unsent: Vec::new(),
            is_blocked: false,
            sent: 0,
            confirmed: 0,
            received: 0,
            acknowledged: 0,
            due: None,
        })
    }

    /// The client goes for good. [`Inbox::closed`] will say that the server has closed its socket.
    pub(crate) fn leave(&mut self, client: usize) -> Result<()> {
        if let Some(farewell) = self.dialect.farewell() {
            self.send_aside(client, farewell)?;
        }
        self.clients[client].is_leaving = true;
        self.clients[client].due = None;
        self.write(client, CLOSE, &websocket::NORMAL)
    }

    /// From now on the client reads nothing but what [`sip`](Self::sip) takes, and acknowledges nothing.
    pub(crate) fn stop_reading(&self, client: usize) -> Result<()> {
        Ok(epoll::delete(&self.epoll, &self.clients[client].stream)?)
    }

    /// Reads one byte of a client that does not read otherwise, if there is one.
    pub(crate) fn sip(&self, client: usize) {
        // The server may have closed the connection: then there is nothing to read any more.
        let _ = (&self.clients[client].stream).read(&mut [0]);
    }

    /// Sends a message that is counted.
    pub(crate) fn send(&mut self, client: usize, text: &[u8]) -> Result<()> {
        self.clients[client].sent += 1;
        self.last_active = Instant::now();
        self.write(client, TEXT, text)
    }

    /// Sends a message that is not counted, such as `hello`.
    pub(crate) fn send_aside(&mut self, client: usize, text: &str) -> Result<()> {
        self.last_active = Instant::now();
        self.write(client, TEXT, text.as_bytes())
    }

    /// Waits until something arrives, but no longer than `patience`, and sends what is due.
    pub(crate) fn receive(&mut self, inbox: &mut Inbox, patience: Duration) -> Result<()> {
        inbox.clear();
        let now = Instant::now();
        let due = self.due.front().map(|(due, _)| due.saturating_duration_since(now));
        let wait = due.unwrap_or(patience).min(patience).try_into()?;
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let (client, flags) = (event.data.u64() as usize, event.flags);
            if flags.contains(EventFlags::OUT) {
                self.clients[client].flush(&self.epoll, client)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(client, inbox).or_else(|error| self.turn_away(client, &*error))?;
            }
        }
        let now = Instant::now();
        if !inbox.is_empty() {
            self.last_active = now;
        } else if now - self.last_active > LOST {
            return Err(format!("nothing has arrived for {LOST:?}, but more must come").into());
        }
        self.events = events;
        while let Some(&(due, client)) = self.due.front()
            && due <= now
        {
            self.due.pop_front();
            if self.clients[client].due == Some(due) {
                self.speak(client)?;
            }
        }
        Ok(())
    }

    /// Waits until both sides have acknowledged everything. No further message may come.
    pub(crate) fn settle(&mut self, inbox: &mut Inbox) -> Result<()> {
        let start = Instant::now();
        let mut until = start + SETTLING;
        loop {
            while let Some(rest) = until.checked_duration_since(Instant::now()) {
                self.receive(inbox, rest)?;
                if let Some((client, text)) = inbox.frames().next() {
                    let text = String::from_utf8_lossy(text);
                    return Err(format!("client {client}: more than was sent: {text}").into());
                }
            }
            let is_settled =
                |client: &Client| client.received == client.acknowledged && client.sent == client.confirmed;
            if !self.dialect.acknowledges() || self.clients.iter().all(is_settled) {
                return Ok(());
            }
            if start.elapsed() > LOST {
                return Err("the server has not acknowledged everything that was sent".into());
            }
            until += SETTLING;
        }
    }

    fn read(&mut self, index: usize, inbox: &mut Inbox) -> Result<()> {
        let client = &mut self.clients[index];
        let (start, kept) = (inbox.filled, client.unread.len());
        let bytes = inbox.room(kept + READ);
        bytes[..kept].copy_from_slice(&client.unread);
        client.unread.clear();
        let read = match client.stream.read(&mut bytes[kept..]) {
            Ok(0) if client.is_leaving => return self.part_with(index, inbox),
            Ok(0) => return Err("closed by the server".into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) if error.kind() == ErrorKind::ConnectionReset && client.is_leaving => {
                return self.part_with(index, inbox);
            }
            Err(error) => return Err(error.into()),
        };
        let (mut at, end) = (start, start + kept + read);
        // Should it be turned away by what comes now, what came before that stays.
        inbox.filled = end;
        if !client.is_open
            && let Some(length) = websocket::parse_answer(&inbox.bytes[at..end])?
        {
            client.is_open = true;
            at += length;
            if let Some((every, _)) = self.dialect.heartbeat() {
                self.fall_due(index, every);
            }
            if let Some(reply) = self.dialect.reply(OPENED) {
                self.send_aside(index, reply)?;
            } else if self.dialect.hear("").is_some() {
                inbox.frames.push((index, at..at));
            }
        }
        while self.clients[index].is_open
            && let Some(frame) = websocket::parse(&inbox.bytes[at..end])?
        {
            let payload = at + frame.payload.start..at + frame.payload.end;
            at = payload.end;
            match frame.opcode {
                TEXT => self.count(index, payload, inbox)?,
                PING => self.write(index, PONG, &inbox.bytes[payload])?,
                CLOSE if self.clients[index].is_leaving => {}
                CLOSE => {
                    let (code, reason) = websocket::parse_close(&inbox.bytes[payload]);
                    return Err(format!("closed by the server: {code} {reason}").into());
                }
                _ => {}
            }
        }
        self.clients[index].unread.extend_from_slice(&inbox.bytes[at..end]);
        inbox.filled = at;
        Ok(())
    }

    fn part_with(&mut self, index: usize, inbox: &mut Inbox) -> Result<()> {
        let client = &mut self.clients[index];
        client.due = None;
        epoll::delete(&self.epoll, &client.stream)?;
        inbox.closed.push(index);
        Ok(())
    }

    fn turn_away(&mut self, index: usize, error: &(dyn Error + Send + Sync)) -> Result<()> {
        if index < self.newcomers {
            return Err(format!("client {index}: {error}").into());
        }
        self.turned_away.push((index, error.to_string()));
        let client = &mut self.clients[index];
        client.due = None;
        Ok(epoll::delete(&self.epoll, &client.stream)?)
    }

    fn count(&mut self, index: usize, payload: Range<usize>, inbox: &mut Inbox) -> Result<()> {
        let text = &inbox.bytes[payload.clone()];
        if let Some(reply) = self.dialect.reply(text) {
            return self.send_aside(index, reply);
        }
        if !self.dialect.acknowledges() {
            inbox.frames.push((index, payload));
            return Ok(());
        }
        let client = &mut self.clients[index];
        if let Some(confirmed) = signal::acknowledged(text) {
            let possible = client.confirmed..=client.sent;
            if !possible.contains(&confirmed) {
                return Err(format!("acknowledged {confirmed}, which is not in {possible:?}").into());
            }
            client.confirmed = confirmed;
            return Ok(());
        }
        let is_counted = signal::is_counted(text);
        inbox.frames.push((index, payload));
        if is_counted {
            client.received += 1;
            if client.received - client.acknowledged >= ACK_EVERY {
                return self.acknowledge(index);
            }
            if client.due.is_none() {
                self.fall_due(index, ACK_AFTER);
            }
        }
        Ok(())
    }

    /// What comes later must not be due sooner.
    fn fall_due(&mut self, index: usize, after: Duration) {
        let due = Instant::now() + after;
        self.clients[index].due = Some(due);
        self.due.push_back((due, index));
    }

    /// Says what is due.
    fn speak(&mut self, index: usize) -> Result<()> {
        let Some((every, heartbeat)) = self.dialect.heartbeat() else { return self.acknowledge(index) };
        self.fall_due(index, every);
        self.write(index, TEXT, heartbeat.as_bytes())
    }

    fn acknowledge(&mut self, index: usize) -> Result<()> {
        let client = &mut self.clients[index];
        client.due = None;
        client.acknowledged = client.received;
        let text = signal::acknowledgement(client.received);
        self.send_aside(index, &text)
    }

    /// One system call for each frame, as a browser does it.
    fn write(&mut self, index: usize, opcode: u8, payload: &[u8]) -> Result<()> {
        let client = &mut self.clients[index];
        websocket::write(&mut client.unsent, opcode, payload);
        client.flush(&self.epoll, index).map_err(|error| format!("client {index}: {error}").into())
    }
}

/// A connection from an address of the loopback interface: each has as many ports as are given out, 28,000 by default.
fn dial(server: SocketAddr, index: usize) -> Result<TcpStream> {
    let number = u8::try_from(1 + index / PER_ADDRESS)?;
    let address = IpAddr::from(Ipv4Addr::new(127, 0, 0, number));
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    net::bind(&socket, &SocketAddr::from((address, 0)))?;
    net::connect(&socket, &server)?;
    Ok(socket.into())
}

impl Client {
    fn flush(&mut self, epoll: &OwnedFd, index: usize) -> Result<()> {
        let written = match self.stream.write(&self.unsent) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error.into()),
        };
        self.unsent.drain(..written);
        let is_blocked = !self.unsent.is_empty();
        if is_blocked != self.is_blocked {
            self.is_blocked = is_blocked;
            let flags = if is_blocked { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(epoll, &self.stream, EventData::new_u64(index as u64), flags)?;
        }
        Ok(())
    }
}

/// Both sides acknowledge after so many frames, or so long after the first (docs/protocol.md, section 10).
pub(crate) const ACK_EVERY: u64 = 32;
const ACK_AFTER: Duration = Duration::from_secs(1);
/// By then all acknowledgements are there, if nothing is slow.
const SETTLING: Duration = Duration::from_millis(1500);
/// What has not come by then will not come.
const LOST: Duration = Duration::from_secs(20);
const EVENTS: usize = 256;
/// Clients of one address.
const PER_ADDRESS: usize = 10_000;
const READ: usize = 16 << 10;
