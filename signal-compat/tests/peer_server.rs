//! Clients of PeerJS, as far as the wire tells.

mod common;

use std::time::Duration;

use common::{Client, Guests, Server};
use serde_json::{Value, json};
use signal_axum::{Limits, Signaling, Timing};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn path(id: &str, token: &str) -> String {
    format!("/peerjs?key=peerjs&id={id}&token={token}&version=1.5.5")
}

async fn open(server: &Server, id: &str) -> Client {
    let mut client = server.connect(&path(id, "t")).await;
    client.expect(json!({ "type": "OPEN" })).await;
    client
}

fn to(dst: &str, kind: &str, payload: Value) -> Value {
    json!({ "type": kind, "dst": dst, "payload": payload })
}

fn from(src: &str, dst: &str, kind: &str, payload: Value) -> Value {
    json!({ "type": kind, "src": src, "dst": dst, "payload": payload })
}

async fn get(server: &Server, path: &str, origin: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("it listens");
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test]
async fn what_one_says_to_another_comes_from_the_one_who_said_it() {
    let server = Server::start().await;
    let (mut a, mut b) = (open(&server, "a").await, open(&server, "b%20c").await);
    a.say(
        json!({ "type": "OFFER", "src": "somebody else", "dst": "b c", "payload": { "sdp": {} }, "more": 1 }),
    )
    .await;
    b.expect(from("a", "b c", "OFFER", json!({ "sdp": {} }))).await;
    for kind in ["ANSWER", "CANDIDATE", "EXPIRE"] {
        b.say(to("a", kind, json!({ "connectionId": "dc_1" }))).await;
        a.expect(from("b c", "a", kind, json!({ "connectionId": "dc_1" }))).await;
    }
    a.say(json!({ "type": "HEARTBEAT" })).await;
    a.say(json!({ "type": "LEAVE", "dst": "b c" })).await;
    b.expect(json!({ "type": "LEAVE", "src": "a", "dst": "b c" })).await;
    // No ghost stays behind.
    a.say(json!({ "type": "LEAVE" })).await;
    assert_eq!(a.closed().await, 1000);
    let _again = open(&server, "a").await;
}

#[tokio::test]
async fn what_is_sent_too_early_is_kept_for_a_while() {
    let server = Server::start().await;
    let mut a = open(&server, "a").await;
    a.say(to("b", "OFFER", json!(1))).await;
    a.say(to("b", "CANDIDATE", json!(2))).await;
    a.say(json!({ "type": "LEAVE", "dst": "c" })).await;
    // All of that has been read when this is answered.
    a.say("?").await;
    assert_eq!(a.hear().await["type"], "WARNING");
    let mut c = open(&server, "c").await;
    c.say(to("b", "OFFER", json!(3))).await;
    c.say(to("a", "OFFER", json!("read"))).await;
    a.expect(from("c", "a", "OFFER", json!("read"))).await;
    let mut b = open(&server, "b").await;
    b.expect(from("a", "b", "OFFER", json!(1))).await;
    b.expect(from("a", "b", "CANDIDATE", json!(2))).await;
    b.expect(from("c", "b", "OFFER", json!(3))).await;
    // Nothing has expired: this is the next that it hears.
    b.say(to("a", "ANSWER", json!(4))).await;
    a.expect(from("b", "a", "ANSWER", json!(4))).await;
}

#[tokio::test]
async fn that_somebody_does_not_come_is_told_once() {
    let server = Server::start().await;
    let mut a = open(&server, "a").await;
    a.say(to("nobody", "OFFER", json!(1))).await;
    a.say(to("nobody", "CANDIDATE", json!(2))).await;
    a.expect(json!({ "type": "EXPIRE", "src": "nobody", "dst": "a" })).await;
    // Not the candidate a second time.
    let _b = open(&server, "nobody").await;
    a.say(to("nobody", "OFFER", json!(3))).await;
    a.say(to("gone", "OFFER", json!(4))).await;
    a.expect(json!({ "type": "EXPIRE", "src": "gone", "dst": "a" })).await;
}

#[tokio::test]
async fn an_id_that_nobody_can_have_is_that_of_nobody() {
    let server = Server::start().await;
    let mut a = open(&server, "a").await;
    for id in ["", &"x".repeat(65), &"ж".repeat(20)] {
        a.say(to(id, "OFFER", json!(1))).await;
        a.expect(json!({ "type": "EXPIRE", "src": id, "dst": "a" })).await;
    }
}

#[tokio::test]
async fn what_is_kept_has_bounds() {
    let server = Server::start().await;
    let mut a = open(&server, "a").await;
    for number in 0..40 {
        a.say(to("far", "CANDIDATE", json!(number))).await;
    }
    let expired = |id: &str| json!({ "type": "EXPIRE", "src": id, "dst": "a" });
    // Once, and what belongs to it is thrown away.
    a.expect(expired("far")).await;
    a.say("?").await;
    assert_eq!(a.hear().await["type"], "WARNING");
    let mut far = open(&server, "far").await;
    a.say(to("far", "OFFER", json!("now"))).await;
    far.expect(from("a", "far", "OFFER", json!("now"))).await;
    a.say(to("large", "OFFER", json!("x".repeat(40_000)))).await;
    a.say(to("large", "OFFER", json!("x".repeat(40_000)))).await;
    a.expect(expired("large")).await;
    // With the one before, whose end is not told twice.
    for number in 0..16 {
        a.say(to(&format!("peer{number}"), "OFFER", json!(1))).await;
    }
    a.expect(expired("peer15")).await;
    let mut expired_later = Vec::new();
    for _ in 0..15 {
        expired_later.push(a.hear().await["src"].as_str().unwrap().to_owned());
    }
    expired_later.sort();
    expired_later.dedup();
    assert_eq!(expired_later.len(), 15);
}

#[tokio::test]
async fn an_id_belongs_to_who_knows_its_token() {
    let server = Server::start().await;
    let mut a = open(&server, "a").await;
    let mut other = server.connect(&path("a", "another")).await;
    other.expect(json!({ "type": "ID-TAKEN", "payload": { "msg": "ID is taken" } })).await;
    other.closed().await;
    // Before the server has noticed that the first socket is of no use.
    let mut back = open(&server, "a").await;
    assert_eq!(a.closed().await, 4001);
    let mut b = open(&server, "b").await;
    b.say(to("a", "OFFER", json!(1))).await;
    back.expect(from("b", "a", "OFFER", json!(1))).await;
    // The end of the first does not touch the second.
    back.say(to("b", "ANSWER", json!(2))).await;
    b.expect(from("a", "b", "ANSWER", json!(2))).await;
    back.cut();
    b.cut();
    server.is_empty().await;
    let mut whoever = server.connect(&path("a", "another")).await;
    whoever.expect(json!({ "type": "OPEN" })).await;
    // The same id and token, but of another key.
    let mut elsewhere = server.connect("/listed/peerjs?key=listed&id=a&token=another").await;
    elsewhere.expect(json!({ "type": "ID-TAKEN", "payload": { "msg": "ID is taken" } })).await;
}

#[tokio::test]
async fn a_guest_cannot_sit_on_an_id_of_our_own_protocol() {
    let server = Server::start().await;
    let mut native = server.connect("/signal").await;
    native.say(json!({ "type": "hello", "version": 1 })).await;
    let id = native.hear().await["peer_id"].as_str().unwrap().to_owned();
    let mut guest = open(&server, &id).await;
    let mut other = open(&server, "b").await;
    other.say(to(&id, "OFFER", json!(1))).await;
    guest.expect(from("b", &id, "OFFER", json!(1))).await;
}

#[tokio::test]
async fn who_does_not_say_who_it_is_is_told_so() {
    let server = Server::start().await;
    let missing = "No id, token, or key supplied to websocket server";
    let long = "a".repeat(65);
    for (query, why) in [
        ("", missing),
        ("?key=peerjs&id=a", missing),
        ("?key=peerjs&id=&token=t", missing),
        ("?id=a&token=t", missing),
        ("?key=other&id=a&token=t", "Invalid key provided"),
        (&format!("?key=peerjs&id={long}&token=t"), "Invalid id provided"),
    ] {
        let mut client = server.connect(&format!("/peerjs{query}")).await;
        client.expect(json!({ "type": "ERROR", "payload": { "msg": why } })).await;
        assert_eq!(client.closed().await, 4003);
    }
    let longest = "b".repeat(64);
    let _client = open(&server, &longest).await;
}

#[tokio::test]
async fn bad_input_is_answered_and_harms_nobody() {
    let server = Server::start().await;
    let (mut a, mut b) = (open(&server, "a").await, open(&server, "b").await);
    for bad in ["not json", "5", "{}", r#"{"type":"OFFER"}"#, r#"{"type":"DANCE","dst":"a"}"#] {
        a.say(bad).await;
        let told = a.hear().await;
        // `ERROR` would be the end of the client, and what has a payload would be taken for a message of a peer.
        assert!(told["type"] == "WARNING" && told.get("payload").is_none(), "{bad}: {told}");
    }
    a.say(to("b", "OFFER", json!(1))).await;
    b.expect(from("a", "b", "OFFER", json!(1))).await;
}

#[tokio::test]
async fn whoever_answers_pings_lives_and_whoever_does_not_frees_its_id() {
    let heartbeat = Duration::from_millis(500);
    let timing = Timing { heartbeat, heartbeat_timeout: heartbeat, ..Timing::default() };
    let server = Server::with(Signaling::builder().policy(Guests).timing(timing)).await;
    // It never says HEARTBEAT, nor anything else.
    let mut quiet = open(&server, "quiet").await;
    let frozen = open(&server, "frozen").await;
    let until_free = async {
        loop {
            let mut other = server.connect(&path("frozen", "another")).await;
            if other.hear().await["type"] == "OPEN" {
                return;
            }
        }
    };
    // Whoever is read answers pings.
    tokio::select! {
        () = until_free => {}
        text = quiet.text() => panic!("{text}"),
    }
    let mut asks = open(&server, "asks").await;
    asks.say(to("quiet", "OFFER", json!(1))).await;
    quiet.expect(from("asks", "quiet", "OFFER", json!(1))).await;
    drop(frozen);
}

#[tokio::test]
async fn there_are_as_many_peers_as_there_may_be() {
    let limits = Limits { members_unlisted: 1, ..Limits::default() };
    let server = Server::with(Signaling::builder().policy(Guests).limits(limits)).await;
    let _a = open(&server, "a").await;
    let mut b = server.connect(&path("b", "t")).await;
    b.expect(
        json!({ "type": "ERROR", "payload": { "msg": "Server has reached its concurrent user limit" } }),
    )
    .await;
    assert_eq!(b.closed().await, 4003);
}

#[tokio::test]
async fn ids_are_made_and_told() {
    let server = Server::start().await;
    let page = "https://elsewhere.example";
    let answer = get(&server, "/peerjs/id?ts=1&version=1.5.5", page).await;
    let (head, id) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/html; charset=utf-8"), "{head}");
    assert_eq!(id.len(), 36);
    assert!(!head.to_lowercase().contains("access-control-allow-origin"), "{head}");
    assert!(get(&server, "/peerjs/peers", page).await.starts_with("HTTP/1.1 401"));
    assert!(get(&server, "/other/id", page).await.starts_with("HTTP/1.1 404"));
    let mut listed = server.connect("/listed/peerjs?key=listed&id=a%20b&token=t").await;
    listed.expect(json!({ "type": "OPEN" })).await;
    let answer = get(&server, "/listed/listed/peers", page).await;
    let (head, ids) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(ids, r#"["a b"]"#);
    assert!(head.to_lowercase().contains(&format!("access-control-allow-origin: {page}")), "{head}");
}
