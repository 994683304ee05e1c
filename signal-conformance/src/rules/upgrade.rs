//! Before the WebSocket: HTTP.

use std::{fs, net::SocketAddr, time::Duration};

use signal_tokio::Origins;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time,
};
use tokio_tungstenite::tungstenite::Error;

use crate::{Adapter, server::Server, wire::Wire};

rules! { ($) upgrade:
    another_path_is_not_found,
    a_connection_is_watched_by_the_system,
    a_client_without_an_origin_is_let_in,
    a_page_of_the_same_origin_is_let_in,
    a_page_of_another_origin_is_refused,
    a_page_of_the_same_host_and_another_port_is_refused,
    a_page_without_an_origin_to_name_is_refused,
    pages_of_listed_origins_alone_are_let_in,
    a_policy_that_panics_is_answered_with_an_http_error,
    two_origins_are_refused_though_one_is_right,
    the_subprotocol_is_selected_when_it_is_offered,
    no_other_subprotocol_is_selected,
    compression_is_not_accepted,
    the_policy_may_refuse_with_403_and_its_sentence,
    the_policy_may_be_unavailable_with_503,
    the_policy_may_take_its_time,
    a_policy_that_never_decides_is_answered_for_with_503,
    frames_in_one_packet_with_the_request_are_read,
}

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const WEBSOCKET: [&str; 4] = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY];

async fn another_path_is_not_found(adapter: Adapter) {
    let server = adapter.start().await;
    for path in ["/", "/signal/", "/elsewhere", "/signal/elsewhere", "/Signal", "/signals", "/../signal"] {
        let (status, _) = server.http(&format!("GET {path} HTTP/1.1"), &WEBSOCKET).await;
        assert_eq!(status, 404, "{path}");
    }
}

async fn a_connection_is_watched_by_the_system(adapter: Adapter) {
    let server = adapter.start().await;
    let stream = server.connect().await;
    let port = |address: SocketAddr| format!(":{:04X} ", address.port());
    let ends = [port(server.address), port(stream.local_addr().unwrap())].join("0100007F");
    // Its timer is that of `SO_KEEPALIVE` (2) when nothing is under way. Elsewhere there is no such table.
    let is_watched = |table: String| {
        table.lines().any(|line| {
            line.contains(&ends)
                && line.split_whitespace().nth(5).is_some_and(|timer| timer.starts_with("02:"))
        })
    };
    // Nobody tells when the server has accepted it.
    let mut clock = time::interval(Duration::from_millis(10));
    while !fs::read_to_string("/proc/net/tcp").map_or(true, is_watched) {
        clock.tick().await;
    }
}

async fn a_client_without_an_origin_is_let_in(adapter: Adapter) {
    assert_eq!(status(&adapter.start().await, &[]).await, 101);
}

async fn a_page_of_the_same_origin_is_let_in(adapter: Adapter) {
    let server = adapter.start().await;
    let origin = format!("http://{}", server.address);
    assert_eq!(status(&server, &[("origin", &origin)]).await, 101);
}

async fn a_page_of_another_origin_is_refused(adapter: Adapter) {
    let server = adapter.start().await;
    let prefixed = format!("http://{}.example.org", server.address);
    let with_user = format!("http://{}@example.org", server.address);
    for origin in ["https://example.org", "http://127.0.0.1", "file://", "x", "", &prefixed, &with_user] {
        assert_eq!(status(&server, &[("origin", origin)]).await, 403, "{origin}");
    }
}

async fn a_page_of_the_same_host_and_another_port_is_refused(adapter: Adapter) {
    assert_eq!(status(&adapter.start().await, &[("origin", "http://127.0.0.1:1")]).await, 403);
}

async fn a_page_without_an_origin_to_name_is_refused(adapter: Adapter) {
    assert_eq!(status(&adapter.start().await, &[("origin", "null")]).await, 403);
}

async fn pages_of_listed_origins_alone_are_let_in(adapter: Adapter) {
    let origins = Origins::none().and(["https://example.org"]).pages_only();
    let server = adapter.start_with(|builder| builder.origins(origins)).await;
    let same = format!("http://{}", server.address);
    assert_eq!(status(&server, &[("origin", "https://example.org")]).await, 101);
    for origin in ["http://example.org", "https://example.org:444", "https://example.org.evil", "null", &same]
    {
        assert_eq!(status(&server, &[("origin", origin)]).await, 403, "{origin}");
    }
    assert_eq!(status(&server, &[]).await, 403);
}

async fn a_policy_that_panics_is_answered_with_an_http_error(adapter: Adapter) {
    let server = adapter.start().await;
    assert_eq!(status(&server, &[("x-ask", "panic")]).await, 503);
    assert_eq!(status(&server, &[]).await, 101);
}

async fn two_origins_are_refused_though_one_is_right(adapter: Adapter) {
    let server = adapter.start().await;
    let origin = format!("http://{}", server.address);
    assert_eq!(status(&server, &[("origin", &origin), ("origin", "https://example.org")]).await, 403);
    assert_eq!(status(&server, &[("origin", &origin), ("origin", &origin)]).await, 403);
}

async fn the_subprotocol_is_selected_when_it_is_offered(adapter: Adapter) {
    let server = adapter.start().await;
    assert_eq!(selected(&server, &["signal.v1"]).await.as_deref(), Some("signal.v1"));
    assert_eq!(selected(&server, &["chat, signal.v1"]).await.as_deref(), Some("signal.v1"));
    assert_eq!(selected(&server, &["chat", "signal.v1"]).await.as_deref(), Some("signal.v1"));
}

async fn no_other_subprotocol_is_selected(adapter: Adapter) {
    let server = adapter.start().await;
    assert_eq!(selected(&server, &[]).await, None);
    assert_eq!(selected(&server, &["chat, signal.v10, Signal.v1"]).await, None);
}

async fn compression_is_not_accepted(adapter: Adapter) {
    let server = adapter.start().await;
    let headers = [("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")];
    let wire = Wire::new(server.connect().await);
    let (_, response) = server.upgrade(wire, &headers).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
}

async fn the_policy_may_refuse_with_403_and_its_sentence(adapter: Adapter) {
    let headers = [&WEBSOCKET[..], &["X-Ask: refused"]].concat();
    let (status, answer) = adapter.start().await.http("GET /signal HTTP/1.1", &headers).await;
    assert_eq!(status, 403);
    assert!(answer.ends_with("\r\n\r\nNot you."), "{answer}");
}

async fn the_policy_may_be_unavailable_with_503(adapter: Adapter) {
    assert_eq!(status(&adapter.start().await, &[("x-ask", "unavailable")]).await, 503);
}

async fn the_policy_may_take_its_time(adapter: Adapter) {
    assert_eq!(status(&adapter.start().await, &[("x-ask", "later")]).await, 101);
}

async fn a_policy_that_never_decides_is_answered_for_with_503(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.timing(super::short_hello())).await;
    assert_eq!(status(&server, &[("x-ask", "never")]).await, 503);
}

async fn frames_in_one_packet_with_the_request_are_read(adapter: Adapter) {
    let server = adapter.start().await;
    let mut stream = server.connect().await;
    let hello = br#"{"type":"hello","version":1}"#;
    let mut packet = format!("GET /signal HTTP/1.1\r\nHost: {}\r\n", server.address).into_bytes();
    WEBSOCKET.iter().for_each(|header| packet.extend_from_slice(format!("{header}\r\n").as_bytes()));
    packet.extend_from_slice(b"\r\n");
    // A final text frame, masked with zeros.
    packet.extend_from_slice(&[0x81, 0x80 | hello.len() as u8, 0, 0, 0, 0]);
    packet.extend_from_slice(hello);
    stream.write_all(&packet).await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(9).any(|bytes| bytes == br#""welcome""#) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
}

/// What the server answers to an upgrade with these headers.
async fn status(server: &Server, headers: &[(&'static str, &str)]) -> u16 {
    match server.upgrade(Wire::new(server.connect().await), headers).await {
        Ok((_, response)) => response.status().as_u16(),
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

async fn selected(server: &Server, offers: &[&str]) -> Option<String> {
    // The library does not take a request that makes an offer and an answer that takes none.
    let mut stream = server.connect().await;
    let mut head = format!("GET /signal HTTP/1.1\r\nHost: {}\r\n", server.address);
    WEBSOCKET.iter().for_each(|header| head.extend([*header, "\r\n"]));
    offers.iter().for_each(|offer| head.extend(["Sec-WebSocket-Protocol: ", *offer, "\r\n"]));
    stream.write_all((head + "\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    let line = answer.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol:"));
    line.map(|name| name.trim().to_owned())
}
