//! Requests that are not for the socket.

// A panic is the report.
#![allow(clippy::unwrap_used)]

use std::{future::pending, net::SocketAddr, time::Duration};

use http::{Response, StatusCode, request::Parts};
use signal_tungstenite::{HttpLimits, Server, Signaling, client::Client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time,
};

#[tokio::test]
async fn what_is_for_another_path_is_answered_by_the_fallback() {
    let address = serve(|server| server.path("/signal").fallback(say_path)).await;
    let answer = get(address, "/health?deep=yes", "").await;
    assert_eq!(
        answer,
        "HTTP/1.1 202 Accepted\r\nx-from: fallback\r\ncontent-length: 17\r\nconnection: close\r\n\r\n/health?deep=yes\n"
    );
    assert!(get(address, "/signal/", UPGRADE).await.starts_with("HTTP/1.1 202 "));
    assert!(get(address, "/signal", "").await.starts_with("HTTP/1.1 426 "));
    Client::connect(&format!("ws://{address}/signal"), None).await.unwrap();
}

#[tokio::test]
async fn without_a_path_the_fallback_answers_what_asks_for_no_socket() {
    let address = serve(|server| server.fallback(say_path)).await;
    assert!(get(address, "/", "").await.ends_with("\r\n\r\n/\n"));
    assert!(get(address, "/", UPGRADE).await.starts_with("HTTP/1.1 101 "));
    Client::connect(&format!("ws://{address}/anywhere"), None).await.unwrap();
}

#[tokio::test]
async fn without_a_fallback_another_path_is_not_found() {
    let address = serve(|server| server.path("/signal")).await;
    assert!(get(address, "/", "").await.starts_with("HTTP/1.1 404 "));
    assert!(get(address, "/signal", "").await.starts_with("HTTP/1.1 426 "));
}

#[tokio::test]
async fn heads_have_the_bounds_that_are_set() {
    let limits =
        HttpLimits { head_timeout: Duration::from_millis(500), head_bytes: 32 << 10, connections: 0 };
    let address = serve(|server| server.http_limits(limits).fallback(say_path)).await;
    for (bytes, status) in [(30 << 10, "HTTP/1.1 202"), (33 << 10, "HTTP/1.1 431")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nfilling: {}\r\n\r\n", "x".repeat(bytes));
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), status, "{bytes} bytes");
    }
    let mut silent = TcpStream::connect(address).await.unwrap();
    let ended = time::timeout(HttpLimits::default().head_timeout / 2, silent.read(&mut [0])).await;
    assert_eq!(ended.unwrap().unwrap(), 0);
}

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async fn serve(configure: impl FnOnce(Server) -> Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let signaling = Signaling::builder().build().unwrap();
    tokio::spawn(configure(Server::new(&signaling)).serve(listener, pending()));
    address
}

async fn say_path(request: Parts) -> Response<Vec<u8>> {
    let mut response = Response::new(format!("{}\n", request.uri).into_bytes());
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert("x-from", "fallback".parse().unwrap());
    response
}

/// The whole answer; of an upgrade, its head.
async fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while stream.read_buf(&mut answer).await.unwrap() > 0 && !answer.starts_with(b"HTTP/1.1 101 ") {}
    String::from_utf8(answer).unwrap()
}
