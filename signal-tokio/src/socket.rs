//! The seam to whatever carries messages.

use std::{
    io,
    ops::ControlFlow,
    task::{Context, Poll},
};

use signal_core::CloseReason;

use crate::{Frame, Ink};

/// A message-wise connection with a client, as the driver sees it: a [`WebSocket`](crate::WebSocket), mostly.
pub trait Socket: Send + 'static {
    /// Hands what has come from the client to `take`, one after the other, until that breaks or nothing more is there. It is
    /// pending if there was nothing at all.
    ///
    /// What is handed over is borrowed from a buffer that others use next.
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()>;

    /// Sends what is still to be sent, and then what comes from `next`, until that has no more. It is pending while the
    /// client does not take as much as there is; `next` is not asked then, so that little is kept in between.
    ///
    /// # Errors
    ///
    /// Those of the connection, which is of no use any more.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>>;

    /// What other tasks need to write a message to this socket while it has nothing to send, if they can.
    fn ink(&self) -> Option<Ink> {
        None
    }
}

/// What can come from a client.
#[derive(Debug)]
pub enum Received<'m> {
    /// A text message.
    Text(&'m str),
    /// A binary message, which the protocol has no use for.
    Binary(&'m [u8]),
    /// A ping or a pong: the client lives.
    LifeSign,
    /// A message beyond what is read at all; nothing can follow it.
    TooLarge,
    /// The client has closed the socket with 1001: a browser that has dropped the page (RFC 6455, section 7.4.1).
    GoneAway,
    /// The client has closed the socket, or it is lost. Whoever asks again is told the same.
    Closed,
}

/// What can be sent to a client.
#[derive(Debug)]
pub enum Outgoing {
    /// A message.
    Message(Frame),
    /// A message of whose frame so many bytes have been sent by means of the [ink](Socket::ink).
    Rest(Frame, usize),
    /// Asks for a sign of life.
    Ping,
    /// The last frame. Nothing that comes after it is sent.
    Close(CloseReason),
}
