//! A TCP connection that can go silent.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The client's end of a TCP connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// Whether everything written is thrown away.
    pub(crate) mute: bool,
    /// Whether pongs are thrown away. Each frame must be written by itself.
    pub(crate) no_pongs: bool,
}

/// The first byte of a pong: final, and opcode 10.
const PONG: u8 = 0x8a;

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, mute: false, no_pongs: false }
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
        Pin::new(&mut self.stream).poll_read(context, buffer)
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
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
