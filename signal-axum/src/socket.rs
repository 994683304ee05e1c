//! axum's WebSocket as the driver sees it: the only place that knows its framing.

use std::{error::Error, io};

use axum::extract::ws::{CloseCode, CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::SinkExt;
use signal_tokio::{Outgoing, Received, Socket};
use tokio_tungstenite::tungstenite;

/// Each socket has a buffer of this size, which each read clears: with the default of 128 KiB that costs more than all the
/// rest. Most messages are candidates, which fit.
const READ_BUFFER: usize = 1 << 10;

/// So many bytes of small frames are written at once.
const WRITE_BUFFER: usize = 16 << 10;

pub(crate) struct AxumSocket(pub(crate) WebSocket);

/// Above `most_read` nothing can be answered any more: the socket is closed with 1009.
pub(crate) fn configure(upgrade: WebSocketUpgrade, most_read: usize) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * most_read)
        .max_message_size(most_read)
        .max_frame_size(most_read)
}

impl AxumSocket {
    /// Fails the connection (RFC 6455, section 7.1.7): tells the client what is wrong with its frame.
    async fn fail(&mut self, code: CloseCode) -> Received<Utf8Bytes> {
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
        // A client that cannot be told is gone all the same.
        let _ = self.0.send(close).await;
        Received::Closed
    }

    /// What the next thing from the client means. `None` when it is to be read on.
    pub(crate) async fn judge(
        &mut self,
        next: Option<Result<Message, axum::Error>>,
    ) -> Option<Received<Utf8Bytes>> {
        Some(match next {
            Some(Ok(Message::Text(text))) => Received::Text(text),
            Some(Ok(Message::Binary(_))) => Received::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::LifeSign,
            Some(Ok(Message::Close(Some(frame)))) if frame.code == close_code::AWAY => Received::GoneAway,
            // The answer is sent by reading on.
            Some(Ok(Message::Close(_))) => return None,
            Some(Err(error)) => match error.source().and_then(<dyn Error>::downcast_ref) {
                Some(tungstenite::Error::Capacity(_)) => Received::TooLarge,
                Some(tungstenite::Error::Utf8(_)) => self.fail(close_code::INVALID).await,
                Some(tungstenite::Error::Protocol(_)) => self.fail(close_code::PROTOCOL).await,
                _ => Received::Closed,
            },
            None => Received::Closed,
        })
    }
}

impl Socket for AxumSocket {
    type Text = Utf8Bytes;

    async fn receive(&mut self) -> Received<Utf8Bytes> {
        loop {
            let next = self.0.recv().await;
            if let Some(received) = self.judge(next).await {
                return received;
            }
        }
    }

    async fn feed(&mut self, outgoing: Outgoing) -> io::Result<()> {
        let message = match outgoing {
            Outgoing::Text(frame) => Message::Text(frame.into_bytes().try_into().map_err(io::Error::other)?),
            Outgoing::Ping => Message::Ping(Default::default()),
            Outgoing::Close(reason) => {
                Message::Close(Some(CloseFrame { code: reason.code(), reason: reason.as_str().into() }))
            }
        };
        self.0.feed(message).await.map_err(io::Error::other)
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.0.flush().await.map_err(io::Error::other)
    }
}
