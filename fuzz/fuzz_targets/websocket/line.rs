//! Our WebSocket, over a connection whose client has said all that it will say.

use std::{
    collections::VecDeque,
    io, mem,
    ops::ControlFlow,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use signal_tokio::{Received, Socket as _, WebSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Conversation, MOST_READ};

/// What is handed over, and answered, if so many bytes come and go at once.
pub(crate) fn conversation(said: &[u8], size: usize) -> Conversation {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let line = Line { said: said.iter().copied().collect(), size: size.max(1), heard: Arc::clone(&heard) };
    let mut socket = WebSocket::new(line, &[], MOST_READ);
    let mut context = Context::from_waker(Waker::noop());
    let (mut received, mut is_over) = (Vec::new(), false);
    while !is_over {
        let polled = socket.poll_receive(&mut context, |something| {
            is_over |= matches!(something, Received::Closed | Received::GoneAway | Received::TooLarge);
            received.push(format!("{something:?}"));
            ControlFlow::Continue(())
        });
        assert!(polled.is_ready(), "there is something to read until it is over");
        assert!(matches!(socket.poll_send(&mut context, || None), Poll::Ready(Ok(()))));
    }
    let answered = mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    (received, answered)
}

struct Line {
    said: VecDeque<u8>,
    /// So many bytes come and go at once.
    size: usize,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = self.size.min(self.said.len()).min(buffer.remaining());
        let piece: Vec<_> = self.said.drain(..size).collect();
        buffer.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let size = self.size.min(bytes.len());
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..size]);
        Poll::Ready(Ok(size))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
