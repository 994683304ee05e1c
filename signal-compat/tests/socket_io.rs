//! Pages with clients of Socket.IO, as far as the wire tells.

mod common;

use std::time::Duration;

use common::{Guests, Server, page::Page};
use serde_json::{Value, json};
use signal_axum::{JoinGrant, JoinRequest, PeerInfo, Policy, Rates, Refusal, Signaling, Timing, async_trait};

#[tokio::test]
async fn a_page_that_is_frozen_frees_its_place() {
    let heartbeat = Duration::from_millis(500);
    let timing = Timing { heartbeat, heartbeat_timeout: heartbeat, ..Timing::default() };
    let server = Server::with(Signaling::builder().policy(Guests).timing(timing)).await;
    let mut a = Page::open(&server).await;
    a.emit(json!(["join", "tea"])).await;
    a.expect(json!(["created", "tea"])).await;
    let mut frozen = Page::open(&server).await;
    frozen.emit(json!(["join", "tea"])).await;
    frozen.expect(json!(["joined", "tea"])).await;
    // It answers no ping from now on, and its socket stays open.
    a.expect(json!(["leave"])).await;
    let mut b = Page::open(&server).await;
    b.emit(json!(["join", "tea"])).await;
    b.expect(json!(["joined", "tea"])).await;
    drop(frozen);
}

#[tokio::test]
async fn whoever_does_not_read_is_let_go() {
    let server = Server::with(Signaling::builder().policy(Guests).rates(Rates::unlimited())).await;
    let mut victim = Page::open(&server).await;
    victim.emit(json!(["join", "tea"])).await;
    victim.expect(json!(["created", "tea"])).await;
    let mut a = Page::open(&server).await;
    a.emit(json!(["join", "tea"])).await;
    a.expect(json!(["joined", "tea"])).await;
    // More than its outbox, and what Engine.IO and the system keep for it.
    for _ in 0..400 {
        a.emit(json!(["candidate", "x".repeat(60_000), "tea"])).await;
    }
    a.expect(json!(["leave"])).await;
    drop(victim);
}

#[tokio::test]
async fn group_chat() {
    let server = Server::start().await;
    let mut a = Page::open(&server).await;
    a.emit(json!(["join", { "channel": "tea", "userdata": { "name": "Ann" } }])).await;
    a.lives().await;
    let mut b = Page::open(&server).await;
    b.emit(json!(["join", { "channel": "tea" }])).await;
    let added = |page: &Page, channel: &str, offers: bool, userdata: Value| json!(["addPeer", { "peer_id": page.id, "should_create_offer": offers, "channel": channel, "userdata": userdata }]);
    a.expect(added(&b, "tea", false, json!(null))).await;
    b.expect(added(&a, "tea", true, json!({ "name": "Ann" }))).await;
    let description = json!({ "type": "offer", "sdp": "v=0" });
    b.emit(json!(["relaySessionDescription", { "peer_id": a.id, "session_description": description }])).await;
    a.expect(json!(["sessionDescription", { "peer_id": b.id, "session_description": description }])).await;
    let candidate = json!({ "sdpMLineIndex": 0, "candidate": "candidate:1" });
    a.emit(json!(["relayICECandidate", { "peer_id": b.id, "ice_candidate": candidate }])).await;
    b.expect(json!(["iceCandidate", { "peer_id": a.id, "ice_candidate": candidate }])).await;

    // With a second channel nothing changes between the two, until the last one ends.
    for page in [&mut a, &mut b] {
        page.emit(json!(["join", { "channel": "coffee" }])).await;
        page.lives().await;
    }
    b.emit(json!(["part", "tea"])).await;
    b.lives().await;
    a.lives().await;
    b.emit(json!(["part", "coffee"])).await;
    a.expect(json!(["removePeer", { "peer_id": b.id, "channel": "coffee" }])).await;
    b.expect(json!(["removePeer", { "peer_id": a.id, "channel": "coffee" }])).await;

    b.emit(json!(["join", { "channel": "tea" }])).await;
    b.expect(added(&a, "tea", true, json!({ "name": "Ann" }))).await;
    a.expect(added(&b, "tea", false, json!(null))).await;
    // A second time nobody is added, and the one who leaves is removed still.
    a.emit(json!(["join", { "channel": "tea", "userdata": 5 }])).await;
    a.lives().await;
    b.expect(json!(["userdata", { "peer_id": a.id, "channel": "tea", "userdata": 5 }])).await;
    let id = b.id.clone();
    b.client.cut();
    a.expect(json!(["removePeer", { "peer_id": id, "channel": "tea" }])).await;
    a.client.cut();
    server.is_empty().await;
}

#[tokio::test]
async fn a_group_chat_meets_channels_of_our_own_protocol_if_it_is_told_to() {
    let server = Server::start().await;
    let mut page = Page::at(&server, "/meets").await;
    page.emit(json!(["join", { "channel": "tea" }])).await;
    page.lives().await;
    let mut native = server.connect("/signal").await;
    native.say(json!({ "type": "hello", "version": 1 })).await;
    let id = native.hear().await["peer_id"].as_str().unwrap().to_owned();
    native.say(json!({ "type": "join", "channel": "tea", "userdata": 5 })).await;
    assert_eq!(native.hear().await["type"], "joined");
    let added = native.hear().await;
    assert_eq!((&added["peer_id"], &added["should_create_offer"]), (&json!(page.id), &json!(true)));
    page.expect(
        json!(["addPeer", { "peer_id": id, "should_create_offer": false, "channel": "tea", "userdata": 5 }]),
    )
    .await;
    native.say(json!({ "type": "relaySessionDescription", "peer_id": page.id, "session_description": { "type": "offer", "sdp": "v=0" } })).await;
    page.expect(json!(["sessionDescription", { "peer_id": id, "session_description": { "type": "offer", "sdp": "v=0" } }])).await;
    page.emit(json!(["relaySessionDescription", { "peer_id": id, "session_description": { "type": "answer", "sdp": "v=1" } }])).await;
    let answer = native.hear().await;
    assert_eq!((&answer["type"], &answer["peer_id"]), (&json!("sessionDescription"), &json!(page.id)));
    native.say(json!({ "type": "send", "channel": "tea", "data": [1] })).await;
    page.expect(json!(["message", { "peer_id": id, "channel": "tea", "data": [1] }])).await;
    // Elsewhere it is another channel.
    let mut other = Page::open(&server).await;
    other.emit(json!(["join", { "channel": "tea" }])).await;
    other.lives().await;
}

#[tokio::test]
async fn room_for_two() {
    let server = Server::start().await;
    let (mut a, mut b, mut c) =
        (Page::open(&server).await, Page::open(&server).await, Page::open(&server).await);
    a.emit(json!(["join", "tea"])).await;
    a.expect(json!(["created", "tea"])).await;
    b.emit(json!(["join", "tea"])).await;
    b.expect(json!(["joined", "tea"])).await;
    c.emit(json!(["join", "tea"])).await;
    c.expect(json!(["full", "tea"])).await;
    b.emit(json!(["ready", "tea"])).await;
    a.expect(json!(["ready"])).await;
    a.emit(json!(["offer", { "sdp": "v=0" }, "tea"])).await;
    b.expect(json!(["offer", { "sdp": "v=0" }])).await;
    b.emit(json!(["answer", { "sdp": "v=1" }, "tea"])).await;
    a.expect(json!(["answer", { "sdp": "v=1" }])).await;
    b.emit(json!(["candidate", null, "tea"])).await;
    a.expect(json!(["candidate", null])).await;
    c.emit(json!(["offer", 1, "tea"])).await;
    assert_eq!(c.hear().await[1]["code"], "not_joined");
    b.emit(json!(["leave", "tea"])).await;
    a.expect(json!(["leave"])).await;
    c.emit(json!(["join", "tea"])).await;
    c.expect(json!(["joined", "tea"])).await;
    // The place of one that vanishes is free at once.
    c.client.cut();
    a.expect(json!(["leave"])).await;
    b.emit(json!(["join", "tea"])).await;
    b.expect(json!(["joined", "tea"])).await;
    // A room for two and a channel of the group chat are not the same.
    let mut d = Page::open(&server).await;
    d.emit(json!(["join", { "channel": "tea" }])).await;
    d.lives().await;
}

#[tokio::test]
async fn ten_race_for_a_room_of_two() {
    let server = Server::start().await;
    let mut outcomes = Vec::new();
    let mut pages = futures_util::future::join_all((0..10).map(|_| Page::open(&server))).await;
    futures_util::future::join_all(pages.iter_mut().map(|page| page.emit(json!(["join", "tea"])))).await;
    for page in &mut pages {
        outcomes.push(page.hear().await[0].as_str().unwrap().to_owned());
    }
    outcomes.sort();
    assert_eq!(outcomes, [vec!["created"], vec!["full"; 8], vec!["joined"]].concat());
}

#[tokio::test]
async fn meeting_room() {
    let server = Server::start().await;
    let (mut a, mut b) = (Page::open(&server).await, Page::open(&server).await);
    a.emit(json!(["join-room", "tea", "ann-peerjs"])).await;
    a.expect(json!(["existing-users", []])).await;
    b.emit(json!(["join-room", "tea", "ben-peerjs"])).await;
    b.expect(json!(["existing-users", ["ann-peerjs"]])).await;
    a.expect(json!(["user-connected", "ben-peerjs"])).await;
    let mut c = Page::open(&server).await;
    c.emit(json!(["join-room", "tea", "cem-peerjs"])).await;
    c.expect(json!(["existing-users", ["ann-peerjs", "ben-peerjs"]])).await;
    for page in [&mut a, &mut b] {
        page.expect(json!(["user-connected", "cem-peerjs"])).await;
    }
    c.emit(json!(["camera-toggle", "cem-peerjs", false, { "more": 1 }])).await;
    c.emit(json!(["mic-toggle"])).await;
    for page in [&mut a, &mut b] {
        page.expect(json!(["camera-toggled", "cem-peerjs", false, { "more": 1 }])).await;
        page.expect(json!(["mic-toggled"])).await;
    }
    // A second time it knows all already.
    a.emit(json!(["join-room", "tea", "ann-again"])).await;
    a.lives().await;
    // Leaving in words, and without.
    c.client.say("41").await;
    for page in [&mut a, &mut b] {
        page.expect(json!(["user-disconnected", "cem-peerjs"])).await;
    }
    b.client.cut();
    a.expect(json!(["user-disconnected", "ben-peerjs"])).await;
}

#[tokio::test]
async fn strangers() {
    let server = Server::start().await;
    let mut pages = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let mut page = Page::open(&server).await;
        page.emit(json!(["wantToJoin", name])).await;
        page.lives().await;
        pages.push(page);
    }
    let [a, _, c, _] = &mut pages[..] else { panic!() };
    // `lives` has read nothing else, so they were told after it; the one who came is told nothing.
    a.expect(json!(["new_member", "b"])).await;
    c.expect(json!(["new_member", "d"])).await;
    // More of them than anybody has channels: each is left for the next.
    for round in 0..20 {
        a.emit(json!(["wantToJoin", "a"])).await;
        a.lives().await;
        let mut other = Page::open(&server).await;
        other.emit(json!(["wantToJoin", round])).await;
        a.expect(json!(["new_member", round])).await;
    }
    // A stranger who waits and vanishes is met by nobody.
    let mut waits = Page::open(&server).await;
    waits.emit(json!(["wantToJoin", "gone"])).await;
    waits.lives().await;
    waits.client.cut();
}

#[tokio::test]
async fn bad_input_is_answered_and_harms_nobody() {
    let server = Server::start().await;
    let mut a = Page::open(&server).await;
    for (bad, code) in [
        ("42", "bad_message"),
        ("42x", "bad_message"),
        ("42[]", "bad_message"),
        ("42{}", "bad_message"),
        ("42[5]", "bad_message"),
        ("42[\"dance\"]", "unknown_type"),
        ("42[\"join\",null]", "bad_message"),
        ("42[\"updateUserData\",{\"channel\":\"tea\"}]", "unknown_type"),
        ("42[\"join\",{}]", "bad_message"),
        ("42[\"join\",{\"type\":\"part\",\"channel\":\"tea\"}]", "bad_message"),
        ("42[\"part\",5]", "bad_message"),
        ("42[\"camera-toggle\",1]", "bad_message"),
        ("42[\"relayICECandidate\",{\"peer_id\":\"x\",\"ice_candidate\":5}]", "bad_message"),
        ("43[1]", "bad_message"),
        ("452-[\"join\",{\"_placeholder\":true,\"num\":0}]", "bad_message"),
    ] {
        a.client.say(bad).await;
        let told = a.hear().await;
        assert_eq!((&told[0], &told[1]["code"]), (&json!("error"), &json!(code)), "{bad}: {told}");
    }
    // An acknowledgement that the client wants does not keep the event from being understood.
    a.client.say(r#"4217["join","tea"]"#).await;
    a.expect(json!(["created", "tea"])).await;
    for _ in 0..20 {
        a.client.say("42x").await;
    }
    while a.packet().await != "41" {}
    a.client.closed().await;
    server.is_empty().await;
}

struct NoRooms;

#[async_trait]
impl Policy for NoRooms {
    async fn guest(
        &self,
        protocol: &str,
        request: &http::request::Parts,
    ) -> Result<signal_axum::Admission, Refusal> {
        assert_eq!(protocol, "socket.io");
        if request.uri.query().is_some_and(|query| query.contains("secret")) {
            Ok(signal_axum::Admission::default())
        } else {
            Err(Refusal::unauthorized("No."))
        }
    }

    async fn join(&self, peer: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        assert_eq!((peer.protocol, request.channel), ("socket.io", "two/tea"));
        Err(Refusal::unauthorized("Not there."))
    }
}

#[tokio::test]
async fn the_policy_decides() {
    let server = Server::with(Signaling::builder().policy(NoRooms)).await;
    assert!(server.try_connect("/socket.io/?EIO=4&transport=websocket").await.is_err());
    let mut client = server.connect("/socket.io/?EIO=4&transport=websocket&secret=1").await;
    client.text().await;
    client.say("40").await;
    let mut page = Page { client, id: String::new() };
    page.packet().await;
    page.emit(json!(["join", "tea"])).await;
    page.expect(json!(["error", { "code": "unauthorized", "message": "Not there." }])).await;
    let open = Server::with(Signaling::builder().policy(Guests)).await;
    let _page = Page::open(&open).await;
}
