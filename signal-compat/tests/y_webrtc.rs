//! Clients of y-webrtc, as far as the wire tells.

mod common;

use common::{Client, Server};
use serde_json::{Value, json};

async fn subscribe(server: &Server, topics: Value) -> Client {
    let mut client = server.connect("/y-webrtc/").await;
    client.say(json!({ "type": "subscribe", "topics": topics })).await;
    client.lives().await;
    client
}

impl Client {
    /// Waits until all that was said before is read.
    async fn lives(&mut self) {
        self.say(json!({ "type": "ping" })).await;
        self.expect(json!({ "type": "pong" })).await;
    }

    async fn is_told(&mut self, code: &str) {
        let told = self.hear().await;
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!(code)), "{told}");
    }
}

#[tokio::test]
async fn what_is_published_goes_to_all_subscribers_with_their_number() {
    let server = Server::start().await;
    let mut a = subscribe(&server, json!(["tea", 5, null, "coffee"])).await;
    a.say(r#"{"type":"publish","topic":"tea","data":{"hi":1},"extra":"kept"}"#).await;
    a.expect(
        json!({ "type": "publish", "topic": "tea", "data": { "hi": 1 }, "extra": "kept", "clients": 1 }),
    )
    .await;
    let mut b = subscribe(&server, json!(["tea"])).await;
    let mut c = subscribe(&server, json!(["coffee"])).await;
    b.say(json!({ "type": "publish", "topic": "tea", "data": "base64", "clients": 99 })).await;
    let told = json!({ "type": "publish", "topic": "tea", "data": "base64", "clients": 2 });
    a.expect(told.clone()).await;
    b.expect(told).await;
    a.say(json!({ "type": "unsubscribe", "topics": ["tea", {}, "never"] })).await;
    a.say(json!({ "type": "publish", "topic": "coffee", "data": { "a": { "b": {} } } })).await;
    let told = json!({ "type": "publish", "topic": "coffee", "data": { "a": { "b": {} } }, "clients": 2 });
    a.expect(told.clone()).await;
    c.expect(told).await;
    b.say(json!({ "type": "publish", "topic": "tea", "data": 2 })).await;
    b.expect(json!({ "type": "publish", "topic": "tea", "data": 2, "clients": 1 })).await;
    a.lives().await;
    a.cut();
    c.say(json!({ "type": "publish", "topic": "coffee", "data": null })).await;
    assert!(c.hear().await["clients"].as_u64().is_some_and(|clients| clients <= 2));
    b.cut();
    c.cut();
    server.is_empty().await;
}

#[tokio::test]
async fn a_topic_may_be_called_anything() {
    let server = Server::start().await;
    for topic in
        ["a\nb".to_owned(), "x".repeat(4000), String::new(), "~y-webrtc:tea".to_owned(), "\u{1}".to_owned()]
    {
        let mut a = subscribe(&server, json!([topic])).await;
        let mut b = subscribe(&server, json!([topic])).await;
        b.say(json!({ "type": "publish", "topic": topic, "data": 1 })).await;
        a.expect(json!({ "type": "publish", "topic": topic, "data": 1, "clients": 2 })).await;
    }
}

#[tokio::test]
async fn bad_input_is_answered_and_harms_nobody() {
    let server = Server::start().await;
    let mut a = subscribe(&server, json!(["tea"])).await;
    let mut b = subscribe(&server, json!(["tea"])).await;
    let deep = format!("{}{}", r#"{"type":"publish","topic":"tea","data":"#, "[".repeat(1000));
    for bad in [
        "x",
        "",
        "null",
        "5",
        r#"{"type":"subscribe","topics":5}"#,
        r#"{"type":"subscribe"}"#,
        r#"{"type":5}"#,
        &deep,
    ] {
        b.say(bad).await;
        b.is_told("bad_message").await;
    }
    b.say(r#"{"type":"publish","topic":"tea","type":"subscribe"}"#).await;
    b.is_told("bad_message").await;
    b.say(json!({ "type": "publish", "topic": "coffee", "data": 1 })).await;
    b.is_told("not_joined").await;
    b.say(json!({ "type": "publish", "topic": "tea", "data": "still here" })).await;
    assert_eq!(a.hear().await["data"], "still here");
    assert_eq!(b.hear().await["data"], "still here");
    for _ in 0..20 {
        b.say("x").await;
    }
    assert_eq!(b.closed().await, 4005);
    a.lives().await;
}

#[tokio::test]
async fn more_topics_than_channels_are_refused_one_by_one() {
    let server = Server::start().await;
    let topics: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let mut a = server.connect("/y-webrtc").await;
    a.say(json!({ "type": "subscribe", "topics": topics })).await;
    for _ in 16..20 {
        a.is_told("limit").await;
    }
    a.say(json!({ "type": "unsubscribe", "topics": vec![""; 65] })).await;
    a.is_told("too_large").await;
    a.say(json!({ "type": "publish", "topic": "15", "data": 1 })).await;
    assert_eq!(a.hear().await["clients"], 1);
}
