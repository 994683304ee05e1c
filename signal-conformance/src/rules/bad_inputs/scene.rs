//! Where a row is played, and how it says what was answered.

use std::{sync::Arc, time::Duration};

use signal_tokio::{Builder, Limits, Missed, SocketLimits, Timing};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::{
    Adapter,
    client::{Client, Heard, type_of},
    pair::Pair,
    policy::ByName,
    rules::{FOREVER, SHORT, jwt},
    server::Server,
};

/// Kinds of servers. On all of them but `Grace`, sessions end soon after their sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Default,
    /// Sessions wait for a socket for as long as by default.
    Grace,
    /// Signs of life are not waited for.
    Impatient,
    /// Nor are those who do not read. The operating system takes little for them.
    Narrow,
    /// Those who do not read are waited for until their small outboxes are full.
    SmallOutbox,
    /// Clients are let in by JSON Web Tokens.
    Jwt,
    /// 64 sockets may come from one address. They may be silent until all of them are there.
    Bounded,
    /// The same, and a proxy at the client's own is trusted.
    Proxied,
    /// The server has a key that outlives it.
    Keyed,
}

/// How soon an impatient server gives up: much later than two healthy peers are heard of.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// A server, and a channel on it that belongs to the row.
#[derive(Clone)]
pub(super) struct Scene {
    adapter: Adapter,
    on: On,
    pub(super) server: Arc<Server>,
    pub(super) room: String,
    hello: String,
}

impl Scene {
    pub(super) async fn start(adapter: Adapter, on: On) -> Self {
        let hello = if on == On::Jwt { jwt::hello_for("of two") } else { HELLO.to_owned() };
        Self { adapter, on, server: Arc::new(on.start(adapter).await), room: "room".to_owned(), hello }
    }

    /// The same server, for another row.
    pub(super) fn with_room(&self, room: String) -> Self {
        Self { room, ..self.clone() }
    }

    /// What the server was before it started again.
    pub(super) async fn start_before(&self) -> Server {
        self.on.start(self.adapter).await
    }

    /// Two peers who must not notice anything.
    pub(super) async fn pair(&self) -> Pair {
        Pair::of(self.client().await, self.client().await).await
    }

    /// Waits until all are gone but so many peers in one channel.
    pub(super) async fn until_gone_but(&self, peers: usize) {
        let signaling = &self.server.signaling;
        let mut events = signaling.events();
        while (signaling.peers().len(), signaling.channels().len()) != (peers, peers.min(1)) {
            // Missed ones do not matter.
            let _: Result<_, Missed> = events.next().await.expect("the server lives");
        }
    }

    /// A client that has been welcomed.
    pub(super) async fn client(&self) -> Client {
        self.server.welcomed(&self.hello).await
    }

    /// A client in the channel of the row.
    pub(super) async fn member(&self) -> Client {
        let mut client = self.client().await;
        client.join(&self.room).await;
        client
    }

    /// Two members who have heard of each other.
    pub(super) async fn members(&self) -> (Client, Client) {
        let (mut ann, bob) = (self.member().await, self.member().await);
        ann.expect("addPeer").await;
        (ann, bob)
    }

    /// What is answered to a request for the socket with these headers.
    pub(super) async fn asks(&self, headers: &[&str]) -> String {
        let mut stream = self.server.connect().await;
        stream.write_all(self.request(headers).as_bytes()).await.unwrap();
        status(&mut stream).await
    }

    /// A request for the socket. In headers, `$host` is the server's address.
    pub(super) fn request(&self, headers: &[&str]) -> String {
        let host = self.server.address.to_string();
        let mut request = format!("GET /signal HTTP/1.1\r\nHost: {host}\r\n");
        headers.iter().for_each(|header| request.extend([&header.replace("$host", &host), "\r\n"]));
        request + "\r\n"
    }

    /// What is answered to the first text on a socket.
    pub(super) async fn begins(&self, text: &str) -> String {
        let mut client = self.server.socket().await;
        client.say(text).await;
        heard(&mut client).await
    }

    /// What is answered to the text of a client. In it, `$room` is the channel of the row.
    pub(super) async fn says(&self, text: impl AsRef<str>) -> String {
        let mut client = self.client().await;
        client.say(text.as_ref().replace("$room", &self.room)).await;
        heard(&mut client).await
    }

    /// What is answered to whole frames of a client that are not made by a library.
    pub(super) async fn frames(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.client().await;
        client.say_raw(bytes.as_ref()).await;
        heard(&mut client).await
    }

    /// What is answered to something after which nothing can be answered.
    pub(super) async fn fails(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.client().await;
        client.say_raw_without_waiting(bytes.as_ref()).await;
        let (texts, closed) = client.hear_until_closed().await;
        described(&texts, Some(closed))
    }
}

impl On {
    async fn start(self, adapter: Adapter) -> Server {
        let limits = Limits { grace: SHORT, ..Limits::default() };
        let timing = Timing { hello: IMPATIENCE, ..Timing::default() };
        let sockets = SocketLimits { per_address: 64, loopback: true, ..SocketLimits::default() };
        match self {
            Self::Default => adapter.start_with(|builder| builder.limits(limits)).await,
            Self::Grace => adapter.start().await,
            Self::Impatient => {
                let timing = Timing { heartbeat: IMPATIENCE, heartbeat_timeout: SHORT, ..timing };
                adapter.start_with(|builder| builder.limits(limits).timing(timing)).await
            }
            Self::Narrow => {
                let timing = Timing { write: IMPATIENCE, ..timing };
                adapter.start_narrow_with(|builder| builder.limits(limits).timing(timing)).await
            }
            Self::SmallOutbox => {
                let timing = Timing { write: FOREVER, ..timing };
                let outbox = |builder: Builder<ByName>| builder.outbox(64, 1 << 20);
                adapter.start_narrow_with(|builder| outbox(builder).limits(limits).timing(timing)).await
            }
            Self::Jwt => adapter.start_with(|builder| jwt::by_token(builder.limits(limits))).await,
            Self::Bounded => {
                let timing = Timing { hello: FOREVER, ..timing };
                let bounded = |builder: Builder<ByName>| builder.limits(limits).timing(timing);
                adapter.start_with(|builder| bounded(builder).socket_limits(sockets)).await
            }
            Self::Proxied => {
                let timing = Timing { hello: FOREVER, ..timing };
                let bounded =
                    |builder: Builder<ByName>| builder.limits(limits).timing(timing).socket_limits(sockets);
                let proxy = "127.0.0.1/32".parse().unwrap();
                adapter.start_with(|builder| bounded(builder).trusted_proxies([proxy])).await
            }
            Self::Keyed => {
                let limits = Limits { returning: Duration::ZERO, ..limits };
                adapter.start_with(|builder| builder.limits(limits).keys(["x".repeat(32)])).await
            }
        }
    }
}

const HELLO: &str = r#"{"type":"hello","version":1}"#;

/// The status of an answer in HTTP, or `lost`.
pub(super) async fn status(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let is_whole = |answer: &[u8]| answer.windows(4).any(|end| end == b"\r\n\r\n");
    while !is_whole(&answer) && stream.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {}
    match answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3)) {
        Some(status) => format!("HTTP {}", String::from_utf8_lossy(status)),
        None if answer.is_empty() => "lost".to_owned(),
        None => format!("no HTTP: {}", String::from_utf8_lossy(&answer)),
    }
}

/// What the server has for a client at the moment.
pub(super) async fn heard(client: &mut Client) -> String {
    let (texts, closed) = client.hear_all().await;
    match closed {
        None => described(&texts, None),
        Some(closed) => join(&texts, Some(closed)),
    }
}

/// Types of messages, codes of errors, and the close frame: `joined, 2 addPeer, bad_message, closed 1002`.
pub(super) fn described(texts: &[String], closed: Option<Heard>) -> String {
    let closed = closed.map(|closed| match closed {
        Heard::Closed(code, reason) => format!("closed {code} {reason}"),
        Heard::Lost => "lost".to_owned(),
        Heard::Text(text) => text,
    });
    join(texts, closed)
}

fn join(texts: &[String], closed: Option<String>) -> String {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let texts = texts.iter().map(|text| named(text));
    for name in texts.chain(closed.map(|closed| closed.trim_end().to_owned())) {
        match parts.last_mut() {
            Some((times, last)) if *last == name => *times += 1,
            _ => parts.push((1, name)),
        }
    }
    let parts = parts.into_iter().map(|(times, name)| match times {
        1 => name,
        times => format!("{times} {name}"),
    });
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

fn named(text: &str) -> String {
    let code = text.split_once(r#""code":""#).filter(|_| type_of(text) == "error");
    code.map_or_else(|| type_of(text), |(_, rest)| rest.split('"').next().unwrap_or_default().to_owned())
}
