//! Pages that speak of rooms, as far as the wire tells.

mod common;

use common::{Client, Server};
use serde_json::{Value, json};

/// Joins a room in which somebody is, who says who has come.
async fn join(server: &Server, room: Value, resident: &mut Client) -> (Client, String) {
    let mut client = server.connect("/rooms").await;
    client.say(json!({ "type": "join-room", "roomId": room })).await;
    let told = resident.hear().await;
    assert_eq!(told["type"], "user-joined");
    let id = told["from"].as_str().expect("an id").to_owned();
    assert_eq!(told["roomUsers"].as_array().and_then(|users| users.last()), Some(&told["from"]));
    (client, id)
}

async fn first(server: &Server, room: Value) -> Client {
    let mut client = server.connect("/rooms").await;
    client.say(json!({ "type": "join-room", "roomId": room })).await;
    // What follows is read after the join.
    client.say("?").await;
    assert_eq!(client.hear().await["code"], "bad_message");
    client
}

#[tokio::test]
async fn those_who_are_there_offer_to_who_comes() {
    let server = Server::start().await;
    let mut a = first(&server, json!("tea")).await;
    let (mut b, b_id) = join(&server, json!("tea"), &mut a).await;
    a.say(json!({ "type": "offer", "offer": { "type": "offer", "sdp": "v=0" }, "from": "somebody else" }))
        .await;
    let offer = b.hear().await;
    let a_id = offer["from"].as_str().unwrap().to_owned();
    assert_ne!(a_id, "somebody else");
    assert_eq!(offer, json!({ "type": "offer", "from": a_id, "offer": { "type": "offer", "sdp": "v=0" } }));
    b.say(json!({ "type": "answer", "answer": { "sdp": "v=1" } })).await;
    a.expect(json!({ "type": "answer", "from": b_id, "answer": { "sdp": "v=1" } })).await;
    b.say(json!({ "type": "ice-candidate", "candidate": null })).await;
    a.expect(json!({ "type": "ice-candidate", "from": b_id, "candidate": null })).await;
    let (mut c, c_id) = join(&server, json!("tea"), &mut a).await;
    b.expect(json!({ "type": "user-joined", "from": c_id, "roomUsers": [a_id, b_id, c_id] })).await;
    // To one.
    a.say(json!({ "type": "offer", "offer": 1, "to": c_id })).await;
    c.expect(json!({ "type": "offer", "from": a_id, "offer": 1 })).await;
    // To all others.
    c.say(json!({ "type": "ice-candidate", "candidate": { "candidate": "" } })).await;
    let told = json!({ "type": "ice-candidate", "from": c_id, "candidate": { "candidate": "" } });
    a.expect(told.clone()).await;
    b.expect(told).await;
    c.cut();
    a.expect(json!({ "type": "user-disconnected", "from": c_id })).await;
    b.expect(json!({ "type": "user-disconnected", "from": c_id })).await;
    // A second time it is in the room already.
    b.say(json!({ "type": "join-room", "roomId": "tea" })).await;
    // Another room.
    b.say(json!({ "type": "join-room", "roomId": 7 })).await;
    a.expect(json!({ "type": "user-disconnected", "from": b_id })).await;
    b.expect(json!({ "type": "user-disconnected", "from": a_id })).await;
    let (mut d, d_id) = join(&server, json!("7"), &mut b).await;
    b.say(json!({ "type": "offer", "offer": 2 })).await;
    d.expect(json!({ "type": "offer", "from": b_id, "offer": 2 })).await;
    d.say(json!({ "type": "answer", "answer": 3, "to": a_id })).await;
    let told = d.hear().await;
    assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!("unknown_peer")));
    assert_ne!(d_id, a_id);
    for client in [a, b, d] {
        client.cut();
    }
    server.is_empty().await;
}

#[tokio::test]
async fn bad_input_is_answered_and_harms_nobody() {
    let server = Server::start().await;
    let mut a = first(&server, json!("tea")).await;
    let (mut b, b_id) = join(&server, json!("tea"), &mut a).await;
    for (bad, code) in [
        ("x".to_owned(), "bad_message"),
        ("null".to_owned(), "bad_message"),
        (json!({ "type": "join-room" }).to_string(), "bad_message"),
        (json!({ "type": "join-room", "roomId": "" }).to_string(), "bad_message"),
        (json!({ "type": "join-room", "roomId": "a".repeat(200) }).to_string(), "bad_message"),
        (json!({ "type": "join-room", "roomId": {} }).to_string(), "bad_message"),
        (json!({ "type": "offer" }).to_string(), "bad_message"),
        (json!({ "type": "dance" }).to_string(), "unknown_type"),
        (json!({ "offer": 1 }).to_string(), "bad_message"),
        (json!({ "type": "offer", "offer": "x".repeat(70_000) }).to_string(), "too_large"),
    ] {
        b.say(bad).await;
        let told = b.hear().await;
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!(code)), "{told}");
    }
    let mut nowhere = server.connect("/rooms").await;
    nowhere.say(json!({ "type": "offer", "offer": 1 })).await;
    assert_eq!(nowhere.hear().await["code"], "bad_message");
    b.say(json!({ "type": "offer", "offer": 1 })).await;
    a.expect(json!({ "type": "offer", "from": b_id, "offer": 1 })).await;
}
