//! WebSockets over TLS, with a certificate of the test's own.

// A panic is the report.
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName},
};
use signal_tungstenite::{Server, Signaling};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

type Socket = WebSocketStream<TlsStream<TcpStream>>;

#[tokio::test]
async fn two_clients_meet_over_tls() {
    let served = Served::start().await;
    let (mut ann, mut bob) = (served.welcomed().await, served.welcomed().await);
    for (client, answer) in [(&mut ann, "joined"), (&mut bob, "joined")] {
        say(client, r#"{"type":"join","channel":"room"}"#).await;
        assert!(hear(client).await.contains(answer));
    }
    assert!(hear(&mut bob).await.contains("addPeer"));
    assert!(hear(&mut ann).await.contains("addPeer"));
    // Larger than a TLS record.
    let data = "x".repeat(60_000);
    say(&mut ann, &format!(r#"{{"type":"send","channel":"room","data":"{data}"}}"#)).await;
    assert!(hear(&mut bob).await.contains(&data));
    say(&mut ann, r#"{"type":"bye"}"#).await;
    let Some(Ok(Message::Close(Some(closed)))) = ann.next().await else { panic!("no close frame") };
    assert_eq!(u16::from(closed.code), 1000);
    assert!(hear(&mut bob).await.contains("removePeer"));
}

#[tokio::test]
async fn who_speaks_plainly_to_a_tls_server_is_not_let_in_and_disturbs_nobody() {
    let served = Served::start().await;
    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain.write_all(b"GET /signal HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    served.welcomed().await;
}

#[tokio::test]
async fn a_drain_ends_connections_over_tls_too() {
    let served = Served::start().await;
    let mut client = served.welcomed().await;
    let ending = async {
        assert!(hear(&mut client).await.contains("closing"));
        let Some(Ok(Message::Close(Some(closed)))) = client.next().await else { panic!("no close frame") };
        assert_eq!(u16::from(closed.code), 1001);
        while client.next().await.is_some() {}
    };
    tokio::join!(served.signaling.drain(std::time::Duration::from_secs(60)), ending);
}

/// A server with a certificate for `localhost`.
struct Served {
    signaling: Signaling,
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    _stop: tokio_util::sync::DropGuard,
}

impl Served {
    async fn start() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        let signaling = Signaling::builder().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = Server::new(&signaling).path("/signal").tls(Arc::new(config));
        tokio::spawn(server.serve(listener, stop.clone().cancelled_owned()));
        Self { signaling, address, certificate, _stop: stop.drop_guard() }
    }

    /// A client that has been welcomed.
    async fn welcomed(&self) -> Socket {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let url = format!("wss://localhost:{}/signal", self.address.port());
        let (mut socket, _) = client_async(url, stream).await.unwrap();
        say(&mut socket, r#"{"type":"hello","version":1}"#).await;
        assert!(hear(&mut socket).await.contains("welcome"));
        socket
    }
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

async fn hear(socket: &mut Socket) -> String {
    let message = socket.next().await.unwrap().unwrap();
    message.to_text().unwrap().to_owned()
}
