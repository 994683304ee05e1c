//! Before the WebSocket: HTTP, and what is none.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{self, Instant},
};

use super::scene::{self, Scene};
use crate::wire::Wire;

pub(super) const CONNECTION: &str = "Connection: Upgrade";
pub(super) const UPGRADE: &str = "Upgrade: websocket";
pub(super) const VERSION: &str = "Sec-WebSocket-Version: 13";
pub(super) const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// How a browser begins that was told that this is HTTPS.
pub(super) const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";

/// How a client begins that takes it for granted that HTTP/2 is spoken (RFC 9113, section 3.4), with empty settings.
pub(super) const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// How long the head of a request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a byte is sent of a head that never ends.
const SLOW: Duration = Duration::from_millis(100);

/// The headers of an upgrade, and more.
pub(super) fn upgrade_with(more: &[&'static str]) -> Vec<&'static str> {
    [&[CONNECTION, UPGRADE, VERSION, KEY], more].concat()
}

/// So many bytes that look random, and are the same each time.
pub(super) fn random(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Sends bytes that are no request. What is answered, and what becomes of the connection.
pub(super) async fn bytes(scene: &Scene, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = scene.server.connect().await;
    let answer = said(&mut stream, bytes.as_ref()).await;
    if answer == "lost" { answer } else { format!("{answer}, then {}", rest(&mut stream).await) }
}

/// Sends a request for the socket. What is answered, with the headers that tell how to do better.
pub(super) async fn request(scene: &Scene, method: &str, headers: &[&str]) -> String {
    request_in(scene, &format!("{method} /signal HTTP/1.1"), headers).await
}

pub(super) async fn request_in(scene: &Scene, line: &str, headers: &[&str]) -> String {
    let (status, answer) = scene.server.http(line, headers).await;
    let answer = answer.to_ascii_lowercase();
    let told = ["allow", "upgrade", "sec-websocket-version"].into_iter().filter_map(|name| {
        let value = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
        Some(format!(", {name}: {}", if name == "allow" { value.to_ascii_uppercase() } else { value.into() }))
    });
    format!("HTTP {status}{}", told.collect::<String>())
}

/// A request for the socket whose head has so many bytes.
pub(super) async fn head_of(scene: &Scene, size: usize) -> String {
    let mut headers = upgrade_with(&[]);
    let missing = size - scene.request(&headers).len() - "X: \r\n".len();
    let filling = format!("X: {}", "x".repeat(missing));
    headers.push(&filling);
    said(&mut scene.server.connect().await, scene.request(&headers).as_bytes()).await
}

/// A request for the socket with so many headers.
pub(super) async fn headers(scene: &Scene, number: usize) -> String {
    let mut headers = upgrade_with(&[]);
    // There is `Host`, too.
    headers.resize(number - 1, "A: b");
    said(&mut scene.server.connect().await, scene.request(&headers).as_bytes()).await
}

/// Sends a head a byte at a time, as long as the server takes it.
pub(super) async fn trickles(scene: &Scene) -> String {
    let start = Instant::now();
    let mut stream = scene.server.connect().await;
    let (mut read, mut write) = stream.split();
    let trickle = async {
        write.write_all(b"GET /signal HTTP/1.1\r\nX: ").await?;
        let mut clock = time::interval(SLOW);
        loop {
            clock.tick().await;
            write.write_all(b"x").await?;
        }
    };
    let ended: std::io::Result<()> = tokio::select! {
        ended = trickle => ended,
        _ = read.read_u8() => Ok(()),
    };
    drop(ended);
    lost_after(start)
}

/// Sends the start of a head, and no more.
pub(super) async fn stays(scene: &Scene, start_of_head: &str) -> String {
    let start = Instant::now();
    let mut stream = scene.server.connect().await;
    stream.write_all(start_of_head.as_bytes()).await.unwrap();
    match scene::status(&mut stream).await.as_str() {
        "lost" => lost_after(start),
        answer => answer.to_owned(),
    }
}

/// Sends a request, and no second one.
pub(super) async fn stays_after_an_answer(scene: &Scene) -> String {
    bytes(scene, scene.request(&[])).await
}

fn lost_after(start: Instant) -> String {
    if start.elapsed() < PATIENCE { "lost too early".to_owned() } else { "lost after 5 s".to_owned() }
}

/// What is answered to these bytes. The server may have heard enough before it has all of them.
async fn said(stream: &mut TcpStream, bytes: &[u8]) -> String {
    let (mut read, mut write) = stream.split();
    let (_, answer) = tokio::join!(write.write_all(bytes), scene::status(&mut read));
    answer
}

/// Reads until the connection ends, whichever way.
async fn rest(stream: &mut TcpStream) -> &'static str {
    let _ = stream.read_to_end(&mut Vec::new()).await;
    "lost"
}

/// Asks for compression, and says whether it got it.
pub(super) async fn offers_compression(scene: &Scene) -> String {
    let wire = Wire::new(scene.server.connect().await);
    let offer = ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits");
    let (_, response) = scene.server.upgrade(wire, &[offer]).await.unwrap();
    let accepted = response.headers().contains_key(offer.0);
    format!("HTTP {}, compression: {accepted}", response.status().as_u16())
}
