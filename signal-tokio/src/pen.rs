//! Who writes to a socket.
//!
//! A message for a peer that is alone and meets an idle socket is written by the task that has it, at once: to wake the task
//! of the socket would cost as much again as all the rest that is not the system's. Whatever else there is (several messages,
//! answers, a client that does not read) is written by the task of the socket, in one go.

use std::{fmt, io, mem, sync::Arc, task::Waker};

use tokio::net::TcpStream;

use crate::link::Link;

/// A connection that more than one task can write to, one at a time.
pub(crate) trait TryWrite: Send + Sync {
    /// Writes what can be written without waiting. How many bytes that were.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl TryWrite for TcpStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }
}

/// What is needed to write to a socket.
pub struct Ink(pub(crate) Arc<dyn TryWrite>);

/// Who may write.
pub(crate) enum Pen {
    /// The task of the socket.
    Kept,
    /// Whoever has something to write first: all is written.
    Free(Ink),
    /// Another task is writing. Does that of the socket wait for it?
    Lent { is_awaited: bool },
}

impl Pen {
    /// Takes the pen, if nobody has it.
    pub(crate) fn take(&mut self, taken: Self) -> Option<Ink> {
        match mem::replace(self, taken) {
            Self::Free(ink) => Some(ink),
            others @ (Self::Kept | Self::Lent { .. }) => {
                *self = others;
                None
            }
        }
    }
}

/// Something waits for a socket whose pen has been borrowed.
pub(crate) struct Errand {
    pub(crate) link: Arc<Link>,
    /// The number of the socket.
    pub(crate) socket: u64,
    pub(crate) ink: Ink,
}

impl Errand {
    /// Writes what is there if it is one message, and gives the pen back. The task of the socket, if there is something left
    /// for it to do.
    pub(crate) fn run(self) -> Option<Waker> {
        let Self { link, socket, ink } = self;
        let frame = {
            let mut link = link.lock();
            if link.socket != socket {
                return None;
            }
            // Several are written at once by the task of the socket.
            if link.outbox.unwritten() != 1 {
                return link.give_back(ink);
            }
            link.write_next()
        }?;
        let bytes = frame.as_websocket();
        // The task of the socket will meet the same error.
        let written = ink.0.try_write(bytes).unwrap_or(0);
        let is_whole = written == bytes.len();
        let mut link = link.lock();
        if link.socket != socket {
            return None;
        }
        if !is_whole {
            link.rest = Some((frame, written));
        }
        link.give_back(ink)
    }
}

impl fmt::Debug for Pen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "Kept",
            Self::Free(_) => "Free",
            Self::Lent { .. } => "Lent",
        })
    }
}

impl fmt::Debug for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ink").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Context,
        time::Instant,
    };

    use signal_core::{Epoch, Outbox, PeerId, SessionId};

    use super::*;
    use crate::{Admission, Frame, Rates, rate::Budget, tokens::Ticket};

    /// A connection that takes so many bytes.
    struct Narrow {
        room: AtomicUsize,
        written: Mutex<Vec<u8>>,
    }

    impl TryWrite for Narrow {
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            let size = bytes.len().min(self.room.load(Relaxed));
            self.room.fetch_sub(size, Relaxed);
            self.written.lock().unwrap().extend_from_slice(&bytes[..size]);
            if size == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(size) }
        }
    }

    fn link(room: usize) -> (Arc<Link>, Arc<Narrow>) {
        let narrow = Arc::new(Narrow { room: AtomicUsize::new(room), written: Mutex::default() });
        let ticket = Ticket { epoch: Epoch(1), session: 0, counter: 0 };
        let budget = Budget::full(&Rates::default(), Instant::now());
        let (peer, outbox) = (PeerId::new("peer").unwrap(), Outbox::new(10, 1 << 10));
        let link = Link::new(SessionId(0), peer, ticket, Admission::default(), outbox, budget, None);
        link.lock().pen = Pen::Free(Ink(Arc::clone(&narrow) as Arc<dyn TryWrite>));
        link.lock().watch(&Context::from_waker(Waker::noop()));
        (Arc::new(link), narrow)
    }

    fn errand(link: &Arc<Link>) -> Option<Errand> {
        let mut carried = link.lock();
        carried.outbox.push(Frame::text("hello")).unwrap();
        let (socket, ink) = (carried.socket, carried.lend()?);
        Some(Errand { link: Arc::clone(link), socket, ink })
    }

    #[test]
    fn a_message_that_is_alone_is_written_at_once_and_nobody_is_woken() {
        let (link, narrow) = link(100);
        for _ in 0..2 {
            assert!(errand(&link).unwrap().run().is_none());
        }
        assert_eq!(*narrow.written.lock().unwrap(), b"\x81\x05hello\x81\x05hello");
        assert!(!link.lock().outbox.has_unwritten());
    }

    #[test]
    fn what_is_begun_is_for_the_task_of_the_socket_to_end() {
        let (link, narrow) = link(3);
        assert!(errand(&link).unwrap().run().is_some(), "it is woken");
        assert_eq!(link.lock().rest.as_ref().map(|(_, written)| *written), Some(3));
        narrow.room.store(100, Relaxed);
        assert!(errand(&link).is_none(), "nobody else writes in between");
        assert_eq!(*narrow.written.lock().unwrap(), b"\x81\x05h");
    }

    #[test]
    fn several_messages_are_for_the_task_of_the_socket() {
        let (link, narrow) = link(100);
        let first = errand(&link).unwrap();
        assert!(errand(&link).is_none(), "there is one pen");
        assert!(first.run().is_some(), "it is woken");
        assert!(narrow.written.lock().unwrap().is_empty());
        assert_eq!(link.lock().outbox.unwritten(), 2);
    }

    #[test]
    fn whoever_waits_for_the_pen_is_woken() {
        let (link, narrow) = link(100);
        let errand = errand(&link).unwrap();
        link.lock().pen = Pen::Lent { is_awaited: true };
        assert!(errand.run().is_some());
        assert_eq!(*narrow.written.lock().unwrap(), b"\x81\x05hello");
    }

    #[test]
    fn a_pen_whose_socket_was_replaced_is_thrown_away() {
        let (link, narrow) = link(100);
        let errand = errand(&link).unwrap();
        link.lock().attach();
        assert!(errand.run().is_none());
        assert!(narrow.written.lock().unwrap().is_empty());
        assert!(matches!(link.lock().pen, Pen::Kept) && link.lock().outbox.unwritten() == 1);
    }
}
