//! Credentials for a TURN server.

use serde_json::Value;
use signal_tokio::{IceServer, Turn};

use super::SHORT;
use crate::{Adapter, server::Server};

rules! { ($) turn:
    credentials_come_before_the_first_channel,
    credentials_come_before_a_match,
    credentials_are_counted_and_sent_again,
    fresh_credentials_come_before_the_old_ones_end,
}

fn turn() -> Turn {
    Turn::new(["turn:turn.example.org"], "a secret of the rules")
}

async fn start(adapter: Adapter, turn: Turn) -> Server {
    let stun = IceServer::stun("stun:stun.example.org");
    adapter.start_with(|builder| builder.ice_servers([stun]).turn(turn)).await
}

async fn credentials_come_before_the_first_channel(adapter: Adapter) {
    let server = start(adapter, turn()).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"join","channel":"refused"}"#).await;
    client.expect_error("unauthorized").await;
    client.say(r#"{"type":"join","channel":"a"}"#).await;
    let told = client.expect("iceServers").await;
    client.expect("joined").await;
    client.join("b").await;
    assert_eq!(told["ttl_ms"], 3_600_000);
    assert_eq!(told["ice_servers"][0]["urls"][0], "stun:stun.example.org");
    assert!(username(&told).ends_with(&format!(":{}", client.peer)));
}

async fn credentials_come_before_a_match(adapter: Adapter) {
    let server = start(adapter, turn()).await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.search("chat").await;
    ann.expect("waiting").await;
    bob.search("chat").await;
    for client in [&mut ann, &mut bob] {
        for next in ["iceServers", "matched", "joined", "addPeer"] {
            client.expect(next).await;
        }
    }
}

async fn credentials_are_counted_and_sent_again(adapter: Adapter) {
    let server = start(adapter, turn()).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"join","channel":"a"}"#).await;
    let told = client.expect("iceServers").await;
    client.expect("joined").await;
    let token = client.token.clone();
    drop(client);
    let (mut client, _) = server.resume(&token, 0).await;
    assert_eq!(client.expect("iceServers").await, told);
    client.expect("joined").await;
    let token = client.token.clone();
    drop(client);
    let (mut client, _) = server.resume(&token, 2).await;
    assert_eq!(client.hear_all().await, (vec![], None));
}

async fn fresh_credentials_come_before_the_old_ones_end(adapter: Adapter) {
    let server = start(adapter, turn().ttl_for_tests(SHORT)).await;
    let mut client = server.client().await;
    client.say(r#"{"type":"join","channel":"a"}"#).await;
    for next in ["iceServers", "joined", "iceServers", "iceServers"] {
        client.expect(next).await;
    }
}

fn username(told: &Value) -> &str {
    told["ice_servers"][1]["username"].as_str().unwrap()
}
