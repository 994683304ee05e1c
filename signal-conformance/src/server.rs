//! A server behind an adapter, on a port of its own.

use std::net::SocketAddr;

use serde_json::Value;
use signal_tokio::{Builder, Policy, Rates, Signaling};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Response,
        http::{HeaderName, HeaderValue},
        protocol::WebSocketConfig,
    },
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Adapter, client::Client, policy::ByName, wire::Wire};

/// The operating system's buffers of a narrow connection, each. It takes some more than it is told.
const NARROW: u32 = 4 << 10;

/// What is tested. It stops serving when it is dropped.
pub(crate) struct Server {
    pub(crate) signaling: Signaling,
    pub(crate) address: SocketAddr,
    _stop: DropGuard,
}

impl Adapter {
    /// A server with defaults, and a policy that does what names tell it.
    pub(crate) async fn start(self) -> Server {
        self.start_with(|builder| builder).await
    }

    pub(crate) async fn start_with<P: Policy>(
        self,
        configure: impl FnOnce(Builder<ByName>) -> Builder<P>,
    ) -> Server {
        self.serve(configure, TcpSocket::new_v4().unwrap())
    }

    /// A server whose connections take little that the client has not read.
    pub(crate) async fn start_narrow_with<P: Policy>(
        self,
        configure: impl FnOnce(Builder<ByName>) -> Builder<P>,
    ) -> Server {
        let socket = TcpSocket::new_v4().unwrap();
        // Accepted connections inherit it.
        socket.set_send_buffer_size(NARROW).unwrap();
        self.serve(configure, socket)
    }

    fn serve<P: Policy>(
        self,
        configure: impl FnOnce(Builder<ByName>) -> Builder<P>,
        socket: TcpSocket,
    ) -> Server {
        // Rules are in more of a hurry than clients are.
        let builder = Signaling::builder().policy(ByName::default()).rates(Rates::unlimited());
        let signaling = configure(builder).build().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(self.0(signaling.clone(), listener, stop.clone()));
        Server { signaling, address, _stop: stop.drop_guard() }
    }
}

impl Server {
    /// A client that has been welcomed.
    pub(crate) async fn client(&self) -> Client {
        self.welcomed(r#"{"type":"hello","version":1}"#).await
    }

    /// A client that has said `hello` and been welcomed.
    pub(crate) async fn welcomed(&self, hello: &str) -> Client {
        let mut client = self.socket().await;
        client.say(hello).await;
        client.read_welcome().await;
        client
    }

    /// Asks for a session back, after so many counted frames. `welcome` says whether it is.
    pub(crate) async fn resume(&self, token: &str, received: u64) -> (Client, Value) {
        let mut client = self.socket().await;
        let welcome = client.resume(token, received).await;
        (client, welcome)
    }

    /// A WebSocket on which nothing has been said.
    pub(crate) async fn socket(&self) -> Client {
        self.upgrade(Wire::new(self.connect().await), &[]).await.unwrap().0
    }

    /// A WebSocket on which nothing has been said, and into which little goes unless it is read.
    pub(crate) async fn narrow_socket(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(NARROW).unwrap();
        let wire = Wire::new(socket.connect(self.address).await.unwrap());
        self.upgrade(wire, &[]).await.unwrap().0
    }

    /// Asks for a WebSocket over `wire`, with more headers.
    pub(crate) async fn upgrade(
        &self,
        wire: Wire,
        headers: &[(&'static str, &str)],
    ) -> Result<(Client, Response), tungstenite::Error> {
        let mut request = format!("ws://{}/signal", self.address).into_client_request()?;
        for (name, value) in headers {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_str(value)?);
            request.headers_mut().append(name, value);
        }
        // What is said leaves at once.
        let config = WebSocketConfig::default().read_buffer_size(4 << 10).write_buffer_size(0);
        let (socket, response) = client_async_with_config(request, wire, Some(config)).await?;
        Ok((Client::new(socket), response))
    }

    /// The names of the channels that a peer is in.
    pub(crate) fn channels_of(&self, peer: &str) -> Vec<String> {
        let mut channels = self.signaling.channels();
        channels.retain(|channel| channel.members.iter().any(|member| member.peer.as_str() == peer));
        channels.into_iter().map(|channel| channel.name.as_str().to_owned()).collect()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends the head of an HTTP request, with `Host`, and gives back the status and what follows of the answer.
    pub(crate) async fn http(&self, request_line: &str, headers: &[&str]) -> (u16, String) {
        let mut stream = self.connect().await;
        let mut head = format!("{request_line}\r\nHost: {}\r\n", self.address);
        headers.iter().for_each(|header| head.extend([header, "\r\n"]));
        head.push_str("Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("an answer in HTTP"), answer)
    }
}
