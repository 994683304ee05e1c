//! What holds for the clients of all protocols.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, response::IntoResponse, routing::any};
use common::{Client, Guests, Server};
use http::request::Parts;
use serde_json::json;
use signal_axum::{
    ChannelName, Dialect, ErrorCode, Guest, Signaling, SocketLimits, Speaker, Texts, Timing, WebSocketUpgrade,
};
use signal_core::{ClientMessage, Context, Payload, ServerMessage};
use tokio::{net::TcpListener, time::timeout};

/// Where a client of each protocol connects, and what it hears first.
const ALL: [(&str, &str); 5] = [
    ("/matchbox/tea", "{\"IdAssigned\""),
    ("/y-webrtc", ""),
    ("/rooms", ""),
    ("/peerjs?key=peerjs&id=a&token=t", "{\"type\":\"OPEN\"}"),
    ("/socket.io/?EIO=4&transport=websocket", "0{"),
];

async fn open(server: &Server, path: &str, first: &str) -> Client {
    let mut client = server.connect(path).await;
    hear_first(&mut client, first).await;
    client
}

/// The place of the one before is free when the server has seen that it is gone.
async fn until_let_in(server: &Server, path: &str) -> Client {
    let until_free = async {
        loop {
            if let Ok(client) = server.try_connect(path).await {
                return client;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), until_free).await.expect("the place stays taken")
}

async fn hear_first(client: &mut Client, first: &str) {
    if !first.is_empty() {
        let heard = client.text().await;
        assert!(heard.starts_with(first), "{heard}");
    }
}

#[tokio::test]
async fn they_are_counted_among_the_sockets_of_an_address() {
    let limits = SocketLimits { per_address: 1, loopback: true, ..SocketLimits::default() };
    let server = Server::with(Signaling::builder().policy(Guests).socket_limits(limits)).await;
    for (path, first) in ALL {
        let mut client = until_let_in(&server, path).await;
        hear_first(&mut client, first).await;
        for (other, _) in ALL {
            assert!(server.try_connect(other).await.is_err(), "{other} while {path} is open");
        }
        client.cut();
    }
}

#[tokio::test]
async fn a_place_that_is_not_used_is_free_again() {
    let limits = SocketLimits { per_address: 1, loopback: true, ..SocketLimits::default() };
    let short = Duration::from_millis(500);
    let timing = Timing { hello: short, heartbeat: short, heartbeat_timeout: short, ..Timing::default() };
    let builder = Signaling::builder().policy(Guests).socket_limits(limits).timing(timing);
    let server = Server::with(builder).await;
    for path in [
        // It never connects to the namespace.
        "/socket.io/?EIO=4&transport=websocket",
        // It is told that it has no place, or no id.
        "/peerjs?key=other&id=a&token=t",
    ] {
        let client = until_let_in(&server, path).await;
        until_let_in(&server, "/rooms").await.cut();
        drop(client);
    }
}

#[tokio::test]
async fn they_are_asked_to_come_back_when_the_server_goes_down() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for (path, first) in ALL {
        clients.push((path, open(&server, path, first).await));
    }
    // That of Socket.IO begins with this.
    let (_, page) = clients.last_mut().expect("there are some");
    page.say("40").await;
    while !page.text().await.starts_with("40{") {}
    let signaling = server.signaling.clone();
    let drained = tokio::spawn(async move { signaling.drain(Duration::from_secs(20)).await });
    for (path, client) in &mut clients {
        let code = client.closed().await;
        assert!(code == 1001 || *path == ALL[4].0, "{path} is closed with {code}");
    }
    drained.await.expect("it is done");
    server.is_empty().await;
}

/// A protocol in which every text goes to all, and which counts what it writes.
#[derive(Debug, Default)]
struct Parrot {
    written: AtomicUsize,
}

impl Dialect for Parrot {
    fn name(&self) -> &'static str {
        "parrot"
    }

    fn decode(
        &self,
        speaker: Speaker<'_>,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode> {
        let data = serde_json::from_str(text).map_err(|_| ErrorCode::BadMessage)?;
        let channel = speaker.channel.as_ref().ok_or(ErrorCode::BadMessage)?.to_string().into();
        say(ClientMessage::SendToChannel { channel, data: Payload::new(data), echo: true });
        Ok(())
    }

    fn encode(&self, message: &ServerMessage<'_>, _: Context<'_>, texts: &mut Texts<'_>) {
        if let ServerMessage::Message { data, .. } = message {
            self.written.fetch_add(1, Relaxed);
            texts.text(|text| text.extend_from_slice(data.as_str().as_bytes()));
        } else if matches!(message, ServerMessage::Joined { .. }) {
            texts.text(|text| text.extend_from_slice(b"\"joined\""));
        }
    }
}

#[tokio::test]
async fn what_several_are_told_is_written_once() {
    let signaling = Signaling::builder().policy(Guests).build().unwrap();
    let dialect = Arc::new(Parrot::default());
    let (own, counted) = (signaling.clone(), Arc::clone(&dialect));
    let connect = async move |parts: Parts, socket: WebSocketUpgrade| {
        let guest = Guest::new(dialect).joins(ChannelName::new("tea").unwrap());
        match own.admit_guest(guest, None, &parts, None).await {
            Ok(admitted) => signal_axum::upgrade(socket, &own, admitted),
            Err(refusal) => refusal.into_response().into_response(),
        }
    };
    let app = Router::new().nest("/signal", signal_axum::router(&signaling)).route("/parrot", any(connect));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(signal_axum::serve(listener, app, std::future::pending()));
    let server = Server { address, signaling };

    let mut native = server.connect("/signal").await;
    native.say(json!({ "type": "hello", "version": 1 })).await;
    native.hear().await;
    native.say(json!({ "type": "join", "channel": "tea" })).await;
    native.hear().await;
    let mut parrots = Vec::new();
    for _ in 0..5 {
        parrots.push(open(&server, "/parrot", "\"joined\"").await);
        native.hear().await;
    }
    parrots[2].say(json!({ "any": "thing" })).await;
    for parrot in &mut parrots {
        parrot.expect(json!({ "any": "thing" })).await;
    }
    assert_eq!(native.hear().await["data"], json!({ "any": "thing" }));
    assert_eq!(counted.written.load(Relaxed), 1);
}
