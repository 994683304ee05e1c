//! What is below Socket.IO: connections, long polling, and packets that are none.

mod common;

use std::time::Duration;

use common::{
    Guests, Server,
    page::{Page, read},
};
use serde_json::json;
use signal_axum::{Rates, Signaling, Timing};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request of long polling.
async fn http(server: &Server, method: &str, query: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address).await.expect("it listens");
    let head = format!(
        "{method} /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("it is HTTP");
    (head[9..12].parse().expect("a status"), body.to_owned())
}

/// Opens a session of long polling. Its id in the query.
async fn poll_open(server: &Server) -> String {
    let (status, body) = http(server, "GET", "", "").await;
    assert_eq!(status, 200, "{body}");
    format!("&sid={}", read(&body, "0")["sid"].as_str().expect("an id"))
}

/// Polls until a packet begins so.
async fn poll_until(server: &Server, sid: &str, wanted: &str) {
    loop {
        let (status, body) = http(server, "GET", sid, "").await;
        assert_eq!(status, 200, "{body}");
        if body.split('\u{1e}').any(|packet| packet.starts_with(wanted)) {
            return;
        }
        if body.split('\u{1e}').any(|packet| packet == "2") {
            http(server, "POST", sid, "3").await;
        }
    }
}

#[tokio::test]
async fn long_polling() {
    let server = Server::start().await;
    let mut a = Page::open(&server).await;
    a.emit(json!(["join", "tea"])).await;
    a.expect(json!(["created", "tea"])).await;
    let sid = poll_open(&server).await;
    assert_eq!(http(&server, "POST", &sid, "40").await, (200, "ok".to_owned()));
    poll_until(&server, &sid, "40{").await;
    // Two packets in one request.
    http(&server, "POST", &sid, "42[\"join\",\"tea\"]\u{1e}42[\"ready\",\"tea\"]").await;
    poll_until(&server, &sid, "42[\"joined\",\"tea\"]").await;
    a.expect(json!(["ready"])).await;
    a.emit(json!(["offer", 1, "tea"])).await;
    poll_until(&server, &sid, "42[\"offer\",1]").await;
    // It leaves.
    http(&server, "POST", &sid, "41").await;
    a.expect(json!(["leave"])).await;
}

#[tokio::test]
async fn whoever_stops_polling_or_upgrading_frees_its_place() {
    let (heartbeat, hello) = (Duration::from_millis(500), Duration::from_millis(500));
    let timing = Timing { heartbeat, heartbeat_timeout: heartbeat, hello, ..Timing::default() };
    let server = Server::with(Signaling::builder().policy(Guests).timing(timing)).await;
    for upgrades in [false, true] {
        let sid = poll_open(&server).await;
        http(&server, "POST", &sid, "40").await;
        http(&server, "POST", &sid, "42[\"join\",\"tea\"]").await;
        poll_until(&server, &sid, "42[\"created\",\"tea\"]").await;
        let mut half = None;
        if upgrades {
            let mut socket = server.connect(&format!("/socket.io/?EIO=4&transport=websocket{sid}")).await;
            // Not the probe that it should be, and of as many bytes as that.
            socket.say("€abc").await;
            half = Some(socket);
        }
        server.is_empty().await;
        drop(half);
    }
}

#[tokio::test]
async fn a_session_that_is_made_up_is_none() {
    let refusing = Server::with(Signaling::builder()).await;
    let made_up = "&sid=AAAAAAAAAAAAAAAA";
    for query in ["", "&sid=x", "&sid=", "&sid=%41AAAAAAAAAAAAAAA", "&xsid=AAAAAAAAAAAAAAAA"] {
        assert_eq!(http(&refusing, "GET", query, "").await.0, 403, "{query}");
    }
    assert_eq!(http(&refusing, "GET", made_up, "").await.0, 400);
    assert_eq!(http(&refusing, "POST", made_up, "40").await.0, 400);
    let path = format!("/socket.io/?EIO=4&transport=websocket{made_up}");
    if let Ok(mut client) = refusing.try_connect(&path).await {
        client.closed().await;
    }
}

#[tokio::test]
async fn a_packet_that_is_too_large_or_no_packet_ends_the_socket_alone() {
    let server = Server::start().await;
    let mut healthy = Page::open(&server).await;
    for bad in ["4".repeat(200_000), "€abc".to_owned(), "4€".to_owned(), "b4".to_owned(), "9".to_owned()]
    {
        let mut page = Page::open(&server).await;
        page.client.say(&bad).await;
        if bad != "4€" {
            page.client.closed().await;
        }
        healthy.lives().await;
    }
}

#[tokio::test]
async fn of_what_nobody_looks_at_not_more_than_a_part_is_kept() {
    // After the first packet it is not looked at any more, for as long as the test takes.
    let patience = Duration::from_secs(60 * 60);
    let rates = Rates { bytes: 1, burst_bytes: 1, patience, ..Rates::default() };
    let (heartbeat, heartbeat_timeout) = (Duration::from_millis(500), patience);
    let timing = Timing { heartbeat, heartbeat_timeout, ..Timing::default() };
    let server = Server::with(Signaling::builder().policy(Guests).rates(rates).timing(timing)).await;
    let mut flood = Page::open(&server).await;
    for _ in 0..40 {
        if flood.client.try_say(format!("42[\"x\",\"{}\"]", "y".repeat(60_000))).await.is_err() {
            break;
        }
    }
    flood.client.closed().await;
    server.is_empty().await;
}

#[tokio::test]
async fn a_request_whose_body_does_not_come_is_given_up() {
    let timing = Timing { hello: Duration::from_millis(500), ..Timing::default() };
    let server = Server::with(Signaling::builder().policy(Guests).timing(timing)).await;
    let sid = poll_open(&server).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /socket.io/?EIO=4&transport=polling{sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn another_namespace_is_refused_and_who_does_not_connect_is_let_go() {
    let server = Server::start().await;
    let mut client = server.connect("/socket.io/?EIO=4&transport=websocket").await;
    client.text().await;
    client.say("40/admin,").await;
    let mut page = Page { client, id: String::new() };
    assert_eq!(page.packet().await, r#"44/admin,{"message":"Invalid namespace"}"#);
    page.client.say("40").await;
    assert!(page.packet().await.starts_with("40{"));
    let mut rude = server.connect("/socket.io/?EIO=4&transport=websocket").await;
    rude.text().await;
    rude.say(r#"42["join","tea"]"#).await;
    rude.closed().await;
}

#[tokio::test]
async fn who_does_not_connect_to_the_namespace_is_let_go() {
    let timing = Timing { hello: Duration::from_millis(500), ..Timing::default() };
    let server = Server::with(Signaling::builder().policy(Guests).timing(timing)).await;
    let mut silent = server.connect("/socket.io/?EIO=4&transport=websocket").await;
    silent.closed().await;
}
