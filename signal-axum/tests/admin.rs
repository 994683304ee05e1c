//! Routes for whoever looks after a server, over real sockets.

// A panic is the report.
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use signal_axum::{AdminToken, Readiness, Signaling, SocketLimits, WeakToken};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const TOKEN: &str = "not-easy-to-guess";
const SHOWN: &str = "authorization: bearer not-easy-to-guess\r\n";

#[tokio::test]
async fn nobody_is_let_in_without_the_right_token() {
    let (address, signaling) = serve(Some(TOKEN)).await;
    let wrong = [
        "",
        "Bearer ",
        "Bearer not-easy-to-gues",
        "Bearer not-easy-to-guess ",
        "Basic not-easy-to-guess",
        "not-easy-to-guess",
        "Bearer  not-easy-to-guess",
        "Bearer not-easy-to-guesS",
    ];
    for value in wrong {
        let header = if value.is_empty() { String::new() } else { format!("authorization: {value}\r\n") };
        // A blank at the end of a value does not count (RFC 9110, section 5.5).
        let expected = if value.ends_with("guess ") { 200 } else { 401 };
        for request in ["GET /admin/peers", "GET /admin/channels/tea", "DELETE /admin/peers/somebody"] {
            let answer = ask(address, request, &header).await;
            if expected == 200 {
                assert_ne!(answer.status, 401, "{request} with {value:?}");
                continue;
            }
            assert_eq!(answer.status, 401, "{request} with {value:?}");
            assert!(answer.head.contains("www-authenticate: Bearer\r\n"), "{}", answer.head);
            assert!(answer.head.contains("cache-control: no-store\r\n"), "{}", answer.head);
        }
    }
    assert!(signaling.metrics().contains("\nsignal_admin_refusals_total 21\n"), "{}", signaling.metrics());
    assert_eq!(ask(address, "GET /admin/peers", SHOWN).await.status, 200);
}

#[tokio::test]
async fn without_a_token_nobody_is_let_in_at_all() {
    let (address, _signaling) = serve(None).await;
    let answer = ask(address, "GET /admin/peers", SHOWN).await;
    assert_eq!((answer.status, answer.body.contains("No admin token is set")), (403, true));
    assert_eq!(AdminToken::new("123456789012345").unwrap_err(), WeakToken);
    assert_eq!(AdminToken::new("1234567890 1234567890").unwrap_err(), WeakToken);
    assert_eq!(format!("{:?}", AdminToken::new(TOKEN)), "Ok(AdminToken)");
}

#[tokio::test]
async fn who_is_kicked_is_told_so_and_gone() {
    let (address, signaling) = serve(Some(TOKEN)).await;
    let (mut ann, ann_id) = connect(address).await;
    let (mut ben, _) = connect(address).await;
    for socket in [&mut ann, &mut ben] {
        say(socket, r#"{"type":"join","channel":"tea"}"#).await;
        hear(socket, "joined").await;
    }
    assert_eq!(ask(address, "DELETE /admin/peers/nobody", SHOWN).await.status, 404);
    assert_eq!(ask(address, &format!("DELETE /admin/peers/{ann_id}"), SHOWN).await.status, 204);
    assert_eq!(hear(&mut ben, "removePeer").await["reason"], "kicked");
    let close = loop {
        if let Message::Close(Some(close)) = ann.next().await.unwrap().unwrap() {
            break close;
        }
    };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4004, "kicked"));
    assert_eq!(ask(address, &format!("DELETE /admin/peers/{ann_id}"), SHOWN).await.status, 404);
    assert_eq!(signaling.peers().len(), 1);
}

#[tokio::test]
async fn who_is_removed_from_a_channel_stays_in_the_others() {
    let (address, signaling) = serve(Some(TOKEN)).await;
    let (mut ann, ann_id) = connect(address).await;
    for channel in ["tea", "a/b c\u{202e}"] {
        say(&mut ann, &format!(r#"{{"type":"join","channel":"{channel}"}}"#)).await;
        hear(&mut ann, "joined").await;
    }
    let path = format!("DELETE /admin/channels/a%2Fb%20c%E2%80%AE/peers/{ann_id}");
    assert_eq!(ask(address, &path, SHOWN).await.status, 204);
    assert_eq!(hear(&mut ann, "parted").await["channel"], "a/b c\u{202e}");
    assert_eq!(ask(address, &path, SHOWN).await.status, 404);
    assert_eq!(signaling.channels().len(), 1);
}

#[tokio::test]
async fn peers_and_channels_are_listed_in_pages() {
    let (address, _signaling) = serve(Some(TOKEN)).await;
    let mut peers = Vec::new();
    for number in 0..5 {
        let (mut socket, peer) = connect(address).await;
        let userdata = r#"{"name":"\"}<script>\u001b","n":1e999}"#;
        let join = format!(r#"{{"type":"join","channel":"room \"{number}","userdata":{userdata}}}"#);
        say(&mut socket, &join).await;
        hear(&mut socket, "joined").await;
        peers.push((socket, peer));
    }
    let mut found: Vec<Value> = Vec::new();
    let mut after = Value::from(0);
    while !after.is_null() {
        let page = json(address, &format!("/admin/peers?limit=2&after={after}")).await;
        assert!(page["peers"].as_array().unwrap().len() <= 2);
        found.extend(page["peers"].as_array().unwrap().iter().cloned());
        after = page["next"].clone();
    }
    let ids: Vec<_> = found.iter().map(|peer| peer["peer"].as_str().unwrap()).collect();
    assert_eq!(ids, peers.iter().map(|(_, peer)| peer.as_str()).collect::<Vec<_>>());
    assert_eq!(found[3]["channels"], serde_json::json!(["room \"3"]));
    assert_eq!(found[3]["attached"], true);
    let page = json(address, "/admin/channels?limit=9999").await;
    assert_eq!(page["channels"].as_array().unwrap().len(), 5);
    assert_eq!(page["channels"][4], serde_json::json!({ "channel": "room \"4", "members": 1 }));
    let channel = json(address, "/admin/channels/room%20%224").await;
    assert_eq!(channel["members"][0]["peer"], *peers[4].1);
    assert_eq!(channel["members"][0]["userdata"], r#"{"name":"\"}<script>\u001b","n":1e999}"#);
    assert_eq!(ask(address, "GET /admin/channels/elsewhere", SHOWN).await.status, 404);
    assert_eq!(ask(address, "GET /admin/peers?limit=many", SHOWN).await.status, 400);
}

#[tokio::test]
async fn it_is_told_whether_clients_are_let_in() {
    let limits = SocketLimits { all: 1, ..SocketLimits::default() };
    let signaling = Signaling::builder().socket_limits(limits).build().unwrap();
    let address = listen(Router::new().merge(signal_axum::health([&signaling])), &signaling, None).await;
    let ready = async || {
        let answer = ask(address, "GET /readyz", "").await;
        (answer.status, answer.body)
    };
    assert_eq!(ready().await, (200, "ok\n".to_owned()));
    let (mut ann, _) = connect(address).await;
    assert_eq!(ready().await, (503, "full\n".to_owned()));
    assert!(connect_async(format!("ws://{address}/signal")).await.is_err());
    assert!(signaling.metrics().contains("\nsignal_upgrades_refused_total{status=\"503\"} 1\n"));
    say(&mut ann, r#"{"type":"bye"}"#).await;
    while ann.next().await.is_some() {}
    while signaling.readiness() != Readiness::Ready {
        tokio::task::yield_now().await;
    }
    signaling.drain(Duration::ZERO).await;
    assert_eq!(ready().await, (503, "draining\n".to_owned()));
    assert_eq!(ask(address, "GET /healthz", "").await.status, 200);
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn serve(token: Option<&str>) -> (SocketAddr, Signaling) {
    let signaling = Signaling::builder().build().unwrap();
    (listen(Router::new(), &signaling, token).await, signaling)
}

async fn listen(router: Router, signaling: &Signaling, token: Option<&str>) -> SocketAddr {
    let token = token.map(|token| AdminToken::new(token).unwrap());
    let router = router
        .nest("/signal", signal_axum::router(signaling))
        .nest("/admin", signal_axum::admin(signaling, token));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn ask(address: SocketAddr, request: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: format!("{head}\r\n"), body: body.to_owned() }
}

async fn json(address: SocketAddr, path: &str) -> Value {
    serde_json::from_str(&ask(address, &format!("GET {path}"), SHOWN).await.body).unwrap()
}

async fn connect(address: SocketAddr) -> (Socket, String) {
    let mut socket = connect_async(format!("ws://{address}/signal")).await.unwrap().0;
    say(&mut socket, r#"{"type":"hello","version":1}"#).await;
    let welcome = hear(&mut socket, "welcome").await;
    (socket, welcome["peer_id"].as_str().unwrap().to_owned())
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

async fn hear(socket: &mut Socket, name: &str) -> Value {
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["type"] == name {
            return message;
        }
    }
}
