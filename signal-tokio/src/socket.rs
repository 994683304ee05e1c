//! The seam to the WebSocket libraries.

use std::{io, ops::Deref};

use signal_core::CloseReason;

use crate::Frame;

/// A WebSocket after the upgrade, as the driver sees it. Each adapter implements it once.
///
/// Pings of the client are answered by the implementation (RFC 6455, section 5.5.2).
pub trait Socket: Send + 'static {
    /// What a text message is held in.
    type Text: Deref<Target = str> + Send;

    /// Waits for the next thing from the client. Dropping the future loses nothing.
    fn receive(&mut self) -> impl Future<Output = Received<Self::Text>> + Send;

    /// Puts something into the write buffer, and waits while that is full.
    fn feed(&mut self, outgoing: Outgoing) -> impl Future<Output = io::Result<()>> + Send;

    /// Writes the buffer out.
    fn flush(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

/// What can come from a client.
#[derive(Debug)]
pub enum Received<T> {
    /// A text message.
    Text(T),
    /// A binary message, which the protocol has no use for.
    Binary,
    /// A ping or a pong: the client lives.
    LifeSign,
    /// A message beyond what is read at all; nothing can follow it.
    TooLarge,
    /// The client has closed the socket with 1001: a browser that has dropped the page (RFC 6455, section 7.4.1).
    GoneAway,
    /// The client has closed the socket, or it is lost.
    Closed,
}

/// What can be sent to a client.
#[derive(Debug)]
pub enum Outgoing {
    /// A text message.
    Text(Frame),
    /// Asks for a sign of life.
    Ping,
    /// The last frame.
    Close(CloseReason),
}
