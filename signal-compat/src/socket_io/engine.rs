//! A connection of Engine.IO as a socket of the driver, with the packets of Socket.IO (protocol 5) around what is said.

use std::{
    fmt, io, mem,
    ops::ControlFlow,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use engineioxide::{DisconnectReason, Str, handler::EngineIoHandler};
use signal_axum::{Admitted, CloseReason, Outgoing, Received, Signaling, Socket};
use tokio::{
    sync::mpsc::{self, Receiver, Sender, error::TrySendError},
    time::{self, Sleep},
};

use super::group::Known;

/// Most packets that are received and not looked at, and their bytes. A client over its rate is not looked at for a while; beyond
/// this it is cut off, since nothing keeps Engine.IO from reading. A request of long polling may bring hundreds at once.
const MOST_UNREAD: usize = 1024;
const MOST_UNREAD_BYTES: usize = 1 << 20;

/// The longest name of another namespace that is told that there is none.
const LONGEST_NAMESPACE: usize = 64;

/// When to try again to hand something to a client that has not fetched what is there for it.
const AGAIN: Duration = Duration::from_millis(10);

/// A client has been let in; it goes with the request that asks for the connection.
#[derive(Clone)]
pub(super) struct Ticket(Arc<Mutex<Option<Admitted>>>);

impl Ticket {
    pub(super) fn new(admitted: Admitted) -> Self {
        Self(Arc::new(Mutex::new(Some(admitted))))
    }

    fn take(&self) -> Option<Admitted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Hands connections to the driver.
#[derive(Debug)]
pub(super) struct Engine {
    signaling: Signaling,
}

type Connection = engineioxide::Socket<Data>;

/// How far a connection is.
#[derive(Default)]
pub(super) struct Data(Mutex<State>);

#[derive(Default)]
enum State {
    /// It has not connected to the namespace.
    Waits(Box<Admitted>),
    Open(Sender<Packet>, Unread),
    #[default]
    Closed,
}

/// How many bytes are received and not looked at.
type Unread = Arc<AtomicUsize>;

enum Packet {
    Text(Str),
    Binary,
}

impl Packet {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary => 0,
        }
    }
}

impl Data {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Data")
    }
}

impl Engine {
    pub(super) fn new(signaling: &Signaling) -> Self {
        Self { signaling: signaling.clone() }
    }

    /// The session of a client begins.
    fn open(&self, admitted: Admitted, connection: &Arc<Connection>) -> State {
        let (sender, incoming) = mpsc::channel(MOST_UNREAD);
        let connection = Arc::clone(connection);
        let unread = Unread::default();
        let socket = EngineSocket {
            connection,
            incoming,
            unread: Arc::clone(&unread),
            known: Known::default(),
            unsent: None,
            again: None,
            is_welcomed: false,
            is_pinged: false,
        };
        tokio::spawn(self.signaling.serve(socket, admitted));
        State::Open(sender, unread)
    }

    fn take(&self, packet: Packet, connection: &Arc<Connection>) {
        let mut state = connection.data.lock();
        *state = match mem::take(&mut *state) {
            State::Waits(admitted) => match &packet {
                Packet::Text(text) if connects(text) => self.open(*admitted, connection),
                Packet::Text(text) => match namespace(text) {
                    Some(namespace) => {
                        // It is told so, or is gone.
                        let _ =
                            connection.emit(format!("4{namespace},{{\"message\":\"Invalid namespace\"}}"));
                        State::Waits(admitted)
                    }
                    None => State::Closed,
                },
                Packet::Binary => State::Closed,
            },
            State::Open(sender, unread) => {
                let bytes = packet.bytes();
                let has_room = unread.fetch_add(bytes, Relaxed) + bytes <= MOST_UNREAD_BYTES;
                if has_room && sender.try_send(packet).is_ok() {
                    State::Open(sender, unread)
                } else {
                    State::Closed
                }
            }
            State::Closed => State::Closed,
        };
        let is_closed = matches!(*state, State::Closed);
        drop(state);
        if is_closed {
            connection.close(DisconnectReason::PacketParsingError);
        }
    }
}

/// Whether a client connects to the namespace `/`, with something to show perhaps.
fn connects(text: &str) -> bool {
    text.strip_prefix('0')
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('{') || rest.starts_with("/,"))
}

/// Another namespace that a client wants to connect to.
fn namespace(text: &str) -> Option<&str> {
    let namespace = text.strip_prefix('0')?.split(',').next()?;
    (namespace.starts_with('/') && namespace.len() <= LONGEST_NAMESPACE).then_some(namespace)
}

impl EngineIoHandler for Engine {
    type Data = Data;

    fn on_connect(self: Arc<Self>, connection: Arc<Connection>) {
        let Some(admitted) = connection.req_parts.extensions.get().and_then(Ticket::take) else {
            return connection.close(DisconnectReason::TransportClose);
        };
        *connection.data.lock() = State::Waits(Box::new(admitted));
        // To connect to the namespace is its `hello`.
        let patience = self.signaling.timing().hello;
        tokio::spawn(async move {
            time::sleep(patience).await;
            let is_open = matches!(*connection.data.lock(), State::Open(..));
            if !is_open {
                connection.close(DisconnectReason::TransportClose);
            }
        });
    }

    fn on_disconnect(&self, connection: Arc<Connection>, _: DisconnectReason) {
        *connection.data.lock() = State::Closed;
    }

    fn on_message(self: &Arc<Self>, text: Str, connection: Arc<Connection>) {
        self.take(Packet::Text(text), &connection);
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, connection: Arc<Connection>) {
        self.take(Packet::Binary, &connection);
    }
}

struct EngineSocket {
    connection: Arc<Connection>,
    incoming: Receiver<Packet>,
    unread: Unread,
    known: Known,
    /// What there was no room for, and when to try it again.
    unsent: Option<Str>,
    again: Option<Pin<Box<Sleep>>>,
    /// Whether it has been told anything.
    is_welcomed: bool,
    /// Whether the driver asks for a sign of life. Engine.IO asks the client itself, and closes the connection without.
    is_pinged: bool,
}

impl Socket for EngineSocket {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        let mut is_first = !self.is_pinged;
        if mem::take(&mut self.is_pinged) && take(Received::LifeSign).is_break() {
            return Poll::Ready(());
        }
        loop {
            let taken = match self.incoming.poll_recv(context) {
                Poll::Ready(Some(packet)) => {
                    self.unread.fetch_sub(packet.bytes(), Relaxed);
                    take(read(&packet))
                }
                Poll::Ready(None) => {
                    let _ = take(Received::Closed);
                    return Poll::Ready(());
                }
                Poll::Pending if is_first => return Poll::Pending,
                Poll::Pending => return Poll::Ready(()),
            };
            if taken.is_break() {
                return Poll::Ready(());
            }
            is_first = false;
        }
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        // Whoever is not read, as it has sent too much, is not heard to go either.
        if matches!(*self.connection.data.lock(), State::Closed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        loop {
            if let Some(again) = &mut self.again {
                ready!(again.as_mut().poll(context));
                self.again = None;
            }
            match self.unsent.take().map(|text| self.connection.emit(text)) {
                None | Some(Ok(())) => {}
                Some(Err(TrySendError::Full(text))) => {
                    self.unsent = Some(text);
                    self.again = Some(Box::pin(time::sleep(AGAIN)));
                    continue;
                }
                Some(Err(TrySendError::Closed(_))) => {
                    return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
                }
            }
            match next() {
                None => return Poll::Ready(Ok(())),
                Some(Outgoing::Message(frame) | Outgoing::Rest(frame, _)) => {
                    self.is_welcomed = true;
                    let text = String::from_utf8_lossy(frame.as_ref());
                    self.unsent = self.known.lets_through(&text).then(|| text.into_owned().into());
                }
                Some(Outgoing::Ping) => {
                    self.is_pinged = true;
                    context.waker().wake_by_ref();
                }
                // Whoever loses the connection comes back by itself.
                Some(Outgoing::Close(CloseReason::Draining | CloseReason::Slow | CloseReason::Heartbeat)) => {
                    self.connection.close(DisconnectReason::ClosingServer);
                }
                // Whoever is sent away does not, or is not let in.
                Some(Outgoing::Close(_)) if self.is_welcomed => self.unsent = Some("1".into()),
                Some(Outgoing::Close(reason)) => {
                    self.unsent = Some(format!("4{{\"message\":\"{}\"}}", reason.as_str()).into());
                }
            }
        }
    }
}

impl Drop for EngineSocket {
    fn drop(&mut self) {
        self.connection.close(DisconnectReason::TransportClose);
    }
}

/// The name and the arguments of an event, or a leave-taking. What is neither is a text that means nothing.
fn read(packet: &Packet) -> Received<'_> {
    let Packet::Text(text) = packet else { return Received::Binary(&[]) };
    match text.as_bytes() {
        [b'1', ..] => Received::GoneAway,
        // Before the arguments there may be the number of an acknowledgement that the client wants.
        [b'2', ..] => Received::Text(text[1..].trim_start_matches(|sign: char| sign.is_ascii_digit())),
        _ => Received::Text(""),
    }
}
