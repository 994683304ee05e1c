//! A server with all protocols, and clients that say what a test wants.

// Each test file uses a part of it.
#![allow(dead_code)]

pub(crate) mod page;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use http::request::Parts;
use serde_json::Value;
use signal_axum::{Admission, Builder, Origins, Policy, Refusal, Signaling, async_trait};
use signal_compat::{Matchbox, PeerServer, Rooms, SocketIo, YWebrtc};
use tokio::{net::TcpListener, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message},
};

/// Nothing that is awaited takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long what is sent to a peer that is not there is kept.
pub(crate) const EXPIRES_AFTER: Duration = Duration::from_millis(1500);

/// Lets all guests in.
pub(crate) struct Guests;

#[async_trait]
impl Policy for Guests {
    async fn guest(&self, _: &str, _: &Parts) -> Result<Admission, Refusal> {
        Ok(Admission::default())
    }
}

/// A server at a free port, for as long as the test runs.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) signaling: Signaling,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Signaling::builder().policy(Guests)).await
    }

    pub(crate) async fn with<P: Policy>(builder: Builder<P>) -> Self {
        let signaling = builder.build().expect("it is configured");
        let peer_server = PeerServer::new(&signaling).expires_after(EXPIRES_AFTER);
        let app = Router::new()
            .nest("/signal", signal_axum::router(&signaling))
            .merge(peer_server.clone().router())
            .nest("/listed", peer_server.key("listed").discovery().origins(Origins::any()).router())
            .nest_service("/y-webrtc", YWebrtc::new(&signaling).router())
            .nest_service("/matchbox", Matchbox::new(&signaling).router())
            .nest_service("/star", Matchbox::new(&signaling).client_server().router())
            .nest_service("/rooms", Rooms::new(&signaling).router())
            .merge(SocketIo::new(&signaling).router())
            .nest("/meets", SocketIo::new(&signaling).meets_native().router());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(signal_axum::serve(listener, app, std::future::pending()));
        Self { address, signaling }
    }

    pub(crate) async fn connect(&self, path: &str) -> Client {
        self.try_connect(path).await.expect("it is let in")
    }

    pub(crate) async fn try_connect(&self, path: &str) -> tungstenite::Result<Client> {
        let (socket, _) = connect_async(format!("ws://{}{path}", self.address)).await?;
        Ok(Client(socket))
    }

    /// Waits until nobody is there any more, and nothing is left.
    pub(crate) async fn is_empty(&self) {
        let is_empty = || self.signaling.peers().is_empty() && self.signaling.channels().is_empty();
        let wait = async {
            while !is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, wait).await.expect("something is left");
    }
}

/// A client of any protocol.
pub(crate) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn say(&mut self, text: impl ToString) {
        self.0.send(Message::text(text.to_string())).await.expect("the socket is open");
    }

    /// Says something to a server that may have closed the socket.
    pub(crate) async fn try_say(&mut self, text: impl ToString) -> tungstenite::Result<()> {
        self.0.send(Message::text(text.to_string())).await
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("nothing comes") {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no text, but {other:?}"),
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("it is JSON")
    }

    pub(crate) async fn expect(&mut self, wanted: Value) {
        assert_eq!(self.hear().await, wanted);
    }

    /// Waits until the server closes the socket, and says by which code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("it stays open") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Close(None)) | Err(_)) | None => return 1005,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Goes away without a word.
    pub(crate) fn cut(self) {
        drop(self);
    }
}
