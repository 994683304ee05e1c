//! tungstenite's WebSocket as the driver sees it: the only place that knows its framing.

use std::io;

use futures_util::{SinkExt, StreamExt};
use signal_tokio::{Outgoing, Received, Socket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// Each socket has a buffer of this size, which each read clears: with the default of 128 KiB that costs more than all the
/// rest. Most messages are candidates, which fit.
const READ_BUFFER: usize = 1 << 10;

/// So many bytes of small frames are written at once.
const WRITE_BUFFER: usize = 16 << 10;

/// Above `most_read` nothing can be answered any more: the socket is closed with 1009.
pub(crate) fn config(most_read: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * most_read)
        .max_message_size(Some(most_read))
        .max_frame_size(Some(most_read))
}

pub(crate) struct TungsteniteSocket<S>(pub(crate) WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TungsteniteSocket<S> {
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
        next: Option<Result<Message, Error>>,
    ) -> Option<Received<Utf8Bytes>> {
        Some(match next {
            Some(Ok(Message::Text(text))) => Received::Text(text),
            Some(Ok(Message::Binary(_))) => Received::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::LifeSign,
            Some(Ok(Message::Close(Some(frame)))) if frame.code == CloseCode::Away => Received::GoneAway,
            // The answer is sent by reading on. (Raw frames are never read.)
            Some(Ok(Message::Close(_) | Message::Frame(_))) => return None,
            Some(Err(Error::Capacity(_))) => Received::TooLarge,
            Some(Err(Error::Utf8(_))) => self.fail(CloseCode::Invalid).await,
            Some(Err(Error::Protocol(_))) => self.fail(CloseCode::Protocol).await,
            Some(Err(_)) | None => Received::Closed,
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for TungsteniteSocket<S> {
    type Text = Utf8Bytes;

    async fn receive(&mut self) -> Received<Utf8Bytes> {
        loop {
            let next = self.0.next().await;
            if let Some(received) = self.judge(next).await {
                return received;
            }
        }
    }

    async fn feed(&mut self, outgoing: Outgoing) -> io::Result<()> {
        let message = match outgoing {
            Outgoing::Text(frame) => Message::Text(frame.into_bytes().try_into().map_err(io::Error::other)?),
            Outgoing::Ping => Message::Ping(Default::default()),
            Outgoing::Close(reason) => Message::Close(Some(CloseFrame {
                code: reason.code().into(),
                reason: reason.as_str().into(),
            })),
        };
        self.0.feed(message).await.map_err(io::Error::other)
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.0.flush().await.map_err(io::Error::other)
    }
}
