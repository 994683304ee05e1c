//! The server's end of a WebSocket (RFC 6455), over any stream of bytes.
//!
//! WebSocket libraries keep buffers for each socket, which are empty most of the time, and copy what is sent. Here an idle
//! socket has none: what arrives is read into a buffer of the thread and looked at there, and what is sent are the
//! bytes that all recipients of a [`Frame`](crate::Frame) share.

pub(crate) mod frame;
mod tcp;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    fmt, io, mem,
    ops::ControlFlow,
    pin::Pin,
    str,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use self::frame::{Fault, Incoming, Opcode};
pub use self::tcp::Tcp;
use crate::{Frame, Ink, Outgoing, Received, Socket, frame::Slice};

/// A WebSocket after its handshake. It has no extensions; fragments are put together, pings and close frames answered.
pub struct WebSocket<S> {
    stream: S,
    tcp: Option<Arc<TcpStream>>,
    /// The longest message that is read.
    most_read: usize,
    /// What has come and was not handed over: the start of a frame, mostly.
    unread: Vec<u8>,
    fragments: Option<Box<Fragments>>,
    /// What is handed over next, and is the last.
    end: Option<End>,
    /// What the stream has not taken yet.
    unsent: Option<Slice>,
    /// The answer to a ping, until it is sent.
    pong: Option<Slice>,
    /// The close frame, until it is sent.
    close: Option<Slice>,
    /// Whether there is, or was, a close frame to send. Nothing may follow it.
    closes: bool,
    /// Whether nothing of what still comes is handed over.
    is_deaf: bool,
}

/// A message whose last fragment has not come.
struct Fragments {
    opcode: Opcode,
    bytes: Vec<u8>,
}

/// Why nothing can follow.
enum End {
    Fault(Fault),
    /// The client has sent a close frame, with this code.
    Closed(Option<u16>),
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// So much is read at once: some dozens of candidates.
const READ: usize = 16 << 10;

/// So many bytes are sent at once, if there are so many: what a channel of 100 is told of each other.
const SENT_AT_ONCE: usize = 32 << 10;

/// The codes that a client may close with (section 7.4, and what has been registered since).
const CLOSE_CODES: [std::ops::RangeInclusive<u16>; 3] = [1000..=1003, 1007..=1014, 3000..=4999];

/// A browser that has dropped the page.
const GOING_AWAY: u16 = 1001;

thread_local! {
    static READING: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static SENDING: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl WebSocket<Tcp> {
    /// A WebSocket over a connection of TCP, to which other tasks can write what they have for its client.
    pub fn over_tcp(stream: TcpStream, read: &[u8], most_read: usize) -> Self {
        let stream = Arc::new(stream);
        Self { tcp: Some(Arc::clone(&stream)), ..Self::new(Tcp(stream), read, most_read) }
    }
}

impl<S> WebSocket<S> {
    /// A WebSocket over `stream`, of which `read` was read behind the handshake. Of a message `most_read` bytes are read,
    /// see [`Signaling::most_read`](crate::Signaling::most_read).
    pub fn new(stream: S, read: &[u8], most_read: usize) -> Self {
        Self {
            stream,
            tcp: None,
            most_read,
            unread: read.to_vec(),
            fragments: None,
            end: None,
            unsent: None,
            pong: None,
            close: None,
            closes: false,
            is_deaf: false,
        }
    }

    /// Hands over what is whole, until `take` breaks. How many bytes were used, and whether there was anything to take.
    fn hand_over(
        &mut self,
        bytes: &mut [u8],
        take: &mut impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> (usize, bool) {
        let (mut used, mut handed) = (0, false);
        while !self.is_deaf && !self.has_to_answer() && self.end.is_none() {
            let rest = &mut bytes[used..];
            let flow = match frame::read(rest, self.most_read) {
                Ok(None) => break,
                Ok(Some(Incoming { opcode, is_last, mask, payload })) => {
                    used += payload.end;
                    let payload = &mut rest[payload];
                    frame::unmask(payload, mask);
                    self.receive(opcode, is_last, payload, take)
                }
                Err(fault) => Err(fault.into()),
            };
            match flow {
                Ok(None) => {}
                Ok(Some(flow)) => {
                    handed = true;
                    if flow.is_break() {
                        break;
                    }
                }
                // What came before is answered first.
                Err(end) => {
                    self.end = Some(end);
                    break;
                }
            }
        }
        if !handed && let Some(end) = self.end.take() {
            handed = true;
            let _ = take(self.end_by(end));
        }
        (if self.is_deaf { bytes.len() } else { used }, handed)
    }

    /// Each ping is answered before more is read, if the client takes what it is sent. Otherwise the newest is (section 5.5.3).
    fn has_to_answer(&self) -> bool {
        self.pong.is_some() && self.unsent.is_none() && !self.closes
    }

    /// Hands over what was kept, together with what has come since.
    fn hand_over_with(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> bool {
        let mut unread = mem::take(&mut self.unread);
        unread.extend_from_slice(bytes);
        let (used, handed) = self.hand_over(&mut unread, take);
        // What is kept has its own size again, not that of the message before.
        self.unread = if used == 0 { unread } else { unread.split_off(used) };
        handed
    }

    /// Takes a frame. `None` when there is nothing to hand over yet.
    fn receive(
        &mut self,
        opcode: Opcode,
        is_last: bool,
        payload: &[u8],
        take: &mut impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Result<Option<ControlFlow<()>>, End> {
        let received = match opcode {
            Opcode::Ping => {
                self.pong = (!self.closes).then(|| control(Opcode::Pong, payload));
                Received::LifeSign
            }
            Opcode::Pong => Received::LifeSign,
            Opcode::Close => return Err(End::Closed(close_code(payload)?)),
            Opcode::Text | Opcode::Binary if self.fragments.is_some() => return Err(Fault::Protocol.into()),
            Opcode::Text | Opcode::Binary if is_last => message(opcode, payload)?,
            Opcode::Text | Opcode::Binary => {
                self.fragments = Some(Box::new(Fragments { opcode, bytes: payload.to_vec() }));
                return Ok(None);
            }
            Opcode::Continuation => {
                let fragments = self.fragments.as_mut().ok_or(Fault::Protocol)?;
                if fragments.bytes.len() + payload.len() > self.most_read {
                    return Err(Fault::TooLarge.into());
                }
                fragments.bytes.extend_from_slice(payload);
                if !is_last {
                    return Ok(None);
                }
                let whole = self.fragments.take().ok_or(Fault::Protocol)?;
                return Ok(Some(take(message(whole.opcode, &whole.bytes)?)));
            }
        };
        Ok(Some(take(received)))
    }

    /// Nothing can follow. The client gets its close frame, by whoever takes it if something was too large.
    fn end_by(&mut self, end: End) -> Received<'static> {
        self.is_deaf = true;
        match end {
            // The answer has the same code (section 5.5.1).
            End::Closed(code) => {
                self.close(code.map(u16::to_be_bytes).as_ref().map_or(&[], |code| code));
                if code == Some(GOING_AWAY) { Received::GoneAway } else { Received::Closed }
            }
            // Section 7.1.7.
            End::Fault(Fault::Protocol) => {
                self.close(&1002_u16.to_be_bytes());
                Received::Closed
            }
            End::Fault(Fault::NotUtf8) => {
                self.close(&1007_u16.to_be_bytes());
                Received::Closed
            }
            End::Fault(Fault::TooLarge) => Received::TooLarge,
        }
    }

    fn close(&mut self, payload: &[u8]) {
        if !mem::replace(&mut self.closes, true) {
            self.close = Some(control(Opcode::Close, payload));
        }
    }

    /// What the socket has to say of its own.
    fn answer(&mut self) -> Option<Slice> {
        // A close frame that is sent was the last.
        let pong = self.pong.take().filter(|_| !self.closes || self.close.is_some());
        pong.or_else(|| self.close.take())
    }

    fn bytes_of(&mut self, outgoing: Outgoing) -> Slice {
        match outgoing {
            // The rest of a message comes first, if at all.
            Outgoing::Message(frame) | Outgoing::Rest(frame, _) => frame.into_websocket(),
            Outgoing::Ping => control(Opcode::Ping, &[]),
            Outgoing::Close(reason) => {
                self.closes = true;
                let mut payload = reason.code().to_be_bytes().to_vec();
                payload.extend_from_slice(reason.as_str().as_bytes());
                control(Opcode::Close, &payload)
            }
        }
    }
}

/// What a whole message is.
fn message(opcode: Opcode, bytes: &[u8]) -> Result<Received<'_>, Fault> {
    if opcode == Opcode::Binary {
        return Ok(Received::Binary(bytes));
    }
    str::from_utf8(bytes).map(Received::Text).map_err(|_| Fault::NotUtf8)
}

/// What a close frame says (section 5.5.1).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Fault> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Fault::Protocol),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !CLOSE_CODES.iter().any(|codes| codes.contains(&code)) {
        return Err(Fault::Protocol);
    }
    str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
    Ok(Some(code))
}

fn control(opcode: Opcode, payload: &[u8]) -> Slice {
    Frame::of(opcode, payload).into_websocket()
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Reads once. How many bytes have come: none when the stream is at its end, be it by an error.
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<usize> {
        buffer.resize(READ, 0);
        let mut buffer = ReadBuf::new(buffer);
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        Poll::Ready(read.map_or(0, |()| buffer.filled().len()))
    }

    /// Sends what the stream has not taken, and what the socket has to say of its own.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.unsent.is_none() {
                self.unsent = self.answer();
            }
            let Some(unsent) = &mut self.unsent else { return Poll::Ready(Ok(())) };
            unsent.advance(ready!(poll_write(&mut self.stream, context, unsent))?);
            if unsent.is_empty() {
                self.unsent = None;
            }
        }
    }

    /// Sends `bytes`, and keeps what the stream does not take.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
        keep: impl FnOnce() -> Slice,
    ) -> io::Result<()> {
        let sent = match poll_write(&mut self.stream, context, bytes) {
            Poll::Ready(written) => written?,
            Poll::Pending => 0,
        };
        if sent < bytes.len() {
            let mut unsent = keep();
            unsent.advance(sent);
            self.unsent = Some(unsent);
        }
        Ok(())
    }
}

/// Writes once, at least one byte.
fn poll_write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    context: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    match ready!(Pin::new(stream).poll_write(context, bytes)) {
        Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        written => Poll::Ready(written),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for WebSocket<S> {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        let is_waiting = !self.unread.is_empty() || self.end.is_some();
        let mut handed = is_waiting && self.hand_over_with(&[], &mut take);
        while !handed {
            let mut buffer = READING.take();
            let read = self.poll_read(context, &mut buffer);
            if let Poll::Ready(length) = read {
                handed = match &mut buffer[..length] {
                    [] => {
                        let _ = take(Received::Closed);
                        true
                    }
                    bytes if self.unread.is_empty() => {
                        let (used, handed) = self.hand_over(bytes, &mut take);
                        self.unread = bytes[used..].to_vec();
                        handed
                    }
                    bytes => self.hand_over_with(bytes, &mut take),
                };
            }
            READING.set(buffer);
            ready!(read);
        }
        Poll::Ready(())
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_rest(context))?;
            if self.closes {
                break;
            }
            let Some(first) = next() else { break };
            if let Outgoing::Rest(frame, sent) = first {
                let mut rest = frame.into_websocket();
                rest.advance(sent);
                self.unsent = Some(rest);
                continue;
            }
            let first = self.bytes_of(first);
            // A close frame is the last.
            let second = if self.closes { None } else { next() };
            let Some(second) = second else {
                self.poll_write(context, &first, || first.clone())?;
                continue;
            };
            let mut batch = SENDING.take();
            batch.clear();
            batch.extend_from_slice(&first);
            batch.extend_from_slice(&self.bytes_of(second));
            while batch.len() < SENT_AT_ONCE
                && !self.closes
                && let Some(outgoing) = next()
            {
                batch.extend_from_slice(&self.bytes_of(outgoing));
            }
            let written = self.poll_write(context, &batch, || batch.as_slice().into());
            SENDING.set(batch);
            written?;
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn ink(&self) -> Option<Ink> {
        self.tcp.clone().map(|stream| Ink(stream))
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { most_read, closes, is_deaf, .. } = self;
        f.debug_struct("WebSocket")
            .field("most_read", most_read)
            .field("closes", closes)
            .field("is_deaf", is_deaf)
            .finish_non_exhaustive()
    }
}
