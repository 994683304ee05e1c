//! A small native client, for bots, tests and load.
//!
//! It speaks the signaling protocol and leaves WebRTC to others. It does not reconnect; a session whose socket is
//! lost ends after the grace time.

use std::{borrow::Cow, time::Duration};

use futures_util::{SinkExt, StreamExt};
use signal_core::{
    ACK_EVERY, ClientFrame, ClientMessage, Hello, Payload, PeerId, RequestId, ServerMessage, codec,
};
use tokio::{
    net::TcpStream,
    time::{self, Instant},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, Utf8Bytes, protocol::WebSocketConfig},
};

pub use signal_core::{ClientMessage as Request, Role, codec::ServerFrame};

/// When received frames are acknowledged that are fewer than 32.
const ACKNOWLEDGE_AFTER: Duration = Duration::from_secs(1);

/// The largest message that a server sends, by section 2 of the protocol.
const MOST_READ: usize = 128 << 10;

/// So much is read at once. tungstenite clears its buffer before each read: with the default of 128 KiB that costs more than
/// all the rest.
const READ_BUFFER: usize = 4 << 10;

/// The version of the protocol that is spoken here.
const VERSION: u32 = 1;

/// A connection to a signaling server, greeted and welcomed.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    peer: PeerId,
    received: u64,
    acknowledged: u64,
    acknowledge_at: Option<Instant>,
    text: Vec<u8>,
}

/// One frame of the server.
#[derive(Clone, Debug)]
pub struct Incoming(Utf8Bytes);

/// The connection cannot be had or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The WebSocket is refused or lost.
    #[error(transparent)]
    WebSocket(#[from] Box<tungstenite::Error>),
    /// The server has refused the client, with this error message.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// The server does not speak the protocol.
    #[error("the server does not speak the signaling protocol")]
    Protocol,
}

impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

impl Client {
    /// Connects to `url`, such as `ws://127.0.0.1:8080/signal`, and says hello; `token` is for the server's policy.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when there is no such server or it does not let the client in.
    pub async fn connect(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(MOST_READ))
            .max_frame_size(Some(MOST_READ));
        let (socket, _) = connect_async_with_config(url, Some(config), true).await?;
        let unnamed = PeerId::new("unnamed").expect("a valid id");
        let (received, acknowledged, acknowledge_at) = (0, 0, None);
        let mut client =
            Self { socket, peer: unnamed, received, acknowledged, acknowledge_at, text: Vec::new() };
        let hello = Hello { version: VERSION, token: token.map(Cow::Borrowed), resume: None, replaces: None };
        client.request(None, ClientMessage::Hello(hello)).await?;
        let welcome = client.next_text().await?.ok_or(ClientError::Protocol)?;
        let incoming = Incoming(welcome);
        let frame = incoming.frame().ok_or(ClientError::Protocol)?;
        match frame.message() {
            Some(ServerMessage::Welcome { peer_id, .. }) => {
                client.peer = PeerId::new(&peer_id).map_err(|_| ClientError::Protocol)?;
                Ok(client)
            }
            Some(ServerMessage::Error { message, .. }) => Err(ClientError::Refused(message.into_owned())),
            _ => Err(ClientError::Protocol),
        }
    }

    /// The id by which the server and the other peers know this one.
    #[must_use]
    pub fn peer(&self) -> &PeerId {
        &self.peer
    }

    /// Asks for a seat in a channel. `userdata` is JSON text.
    ///
    /// # Errors
    ///
    /// [`ClientError::WebSocket`] when the connection is lost; the server's answer comes by [`Client::receive`].
    pub async fn join(&mut self, channel: &str, userdata: Option<Payload<'_>>) -> Result<(), ClientError> {
        self.request(None, ClientMessage::Join { channel: Cow::Borrowed(channel), userdata, seat: None })
            .await
    }

    /// Sends any message, with an id by which the answer is known.
    ///
    /// # Errors
    ///
    /// [`ClientError::WebSocket`] when the connection is lost.
    pub async fn request(
        &mut self,
        id: Option<RequestId>,
        message: ClientMessage<'_>,
    ) -> Result<(), ClientError> {
        self.text.clear();
        codec::encode_client(&ClientFrame { id, message }, &mut self.text);
        let text = str::from_utf8(&self.text).map_err(|_| ClientError::Protocol)?;
        self.socket.send(Message::text(text)).await?;
        Ok(())
    }

    /// Waits for the next frame of the server, and acknowledges those before; `None` when the server has closed.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::WebSocket`] when the connection is lost.
    pub async fn receive(&mut self) -> Result<Option<Incoming>, ClientError> {
        loop {
            if self.received - self.acknowledged >= ACK_EVERY {
                self.acknowledge().await?;
            }
            let due = self.acknowledge_at;
            let text = tokio::select! {
                text = self.next_text() => text?,
                () = time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.acknowledge().await?;
                    continue;
                }
            };
            let Some(text) = text else { return Ok(None) };
            let incoming = Incoming(text);
            let is_counted = incoming
                .frame()
                .is_some_and(|frame| frame.message().is_none_or(|message| message.is_counted()));
            if is_counted {
                self.received += 1;
                self.acknowledge_at.get_or_insert_with(|| Instant::now() + ACKNOWLEDGE_AFTER);
            }
            return Ok(Some(incoming));
        }
    }

    /// Ends the session and closes the connection.
    ///
    /// # Errors
    ///
    /// [`ClientError::WebSocket`] when the connection is lost; the session ends after the grace time then.
    pub async fn close(mut self) -> Result<(), ClientError> {
        self.request(None, ClientMessage::Bye).await?;
        while self.next_text().await?.is_some() {}
        Ok(())
    }

    async fn acknowledge(&mut self) -> Result<(), ClientError> {
        self.acknowledged = self.received;
        self.acknowledge_at = None;
        self.request(None, ClientMessage::Ack { received: self.received }).await
    }

    async fn next_text(&mut self) -> Result<Option<Utf8Bytes>, ClientError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(text)),
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::ConnectionClosed)) | None => return Ok(None),
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}

impl Incoming {
    /// The frame's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The frame taken apart; [`ServerFrame::message`] is the message. `None` if it is not of the protocol.
    #[must_use]
    pub fn frame(&self) -> Option<ServerFrame<'_>> {
        codec::decode_server(&self.0).ok()
    }
}
