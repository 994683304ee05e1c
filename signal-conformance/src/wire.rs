//! A TCP connection that can be cut at any byte, or go silent.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The client's end of a TCP connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// How many more bytes arrive before the connection is lost.
    pub(crate) readable: Option<usize>,
    /// How many more bytes leave before the connection is lost.
    pub(crate) writable: Option<usize>,
    /// Whether everything written is thrown away.
    pub(crate) mute: bool,
    /// Whether pongs are thrown away. Each frame must be written by itself.
    pub(crate) no_pongs: bool,
}

/// The first byte of a pong: final, and opcode 10.
const PONG: u8 = 0x8a;

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, readable: None, writable: None, mute: false, no_pongs: false }
    }

    /// Whether the server has thrown the connection away.
    pub(crate) fn is_reset(&self) -> bool {
        self.stream.take_error().unwrap().is_some()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(rest) = self.readable else { return Pin::new(&mut self.stream).poll_read(context, buffer) };
        if rest == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut bytes = [0; 1024];
        let most = rest.min(bytes.len()).min(buffer.remaining());
        let mut part = ReadBuf::new(&mut bytes[..most]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        self.readable = Some(rest - part.filled().len());
        buffer.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.mute || (self.no_pongs && bytes.first() == Some(&PONG)) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let part = match self.writable {
            Some(0) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Some(rest) => &bytes[..rest.min(bytes.len())],
            None => bytes,
        };
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, part))?;
        self.writable = self.writable.map(|rest| rest - written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
