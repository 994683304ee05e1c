//! How much a client may send.

use std::time::Duration;

use signal_tokio::{Builder, Limits, Rates, Timing};
use tokio_tungstenite::tungstenite::Message;

use super::SHORT;
use crate::{
    Adapter,
    client::{Client, Heard, type_of},
    pair::Pair,
    policy::ByName,
    server::Server,
};

rules! { ($) rates:
    of_400_messages_at_once_none_is_lost_and_nobody_is_closed,
    who_floods_is_closed_with_4013_and_disturbs_nobody,
    who_floods_with_pings_is_closed_too,
    who_floods_with_errors_is_closed_for_them,
    a_new_socket_brings_no_new_burst,
    a_newcomer_to_a_full_channel_may_call_all_of_it_at_once,
    nobody_is_closed_for_candidates_to_somebody_who_has_left,
    who_is_not_read_is_written_to,
    who_is_not_read_is_not_taken_for_silent,
}

/// As by default, but for the patience.
fn impatient(builder: Builder<ByName>) -> Builder<ByName> {
    builder.rates(Rates { patience: 5 * SHORT, ..Rates::default() })
}

/// So slow that who has used up its burst is not read for as long as a rule takes.
fn still(builder: Builder<ByName>) -> Builder<ByName> {
    let rates = Rates {
        messages: 1,
        burst: 5,
        introduction_messages: 0,
        patience: Duration::from_secs(3600),
        ..Rates::default()
    };
    builder.rates(rates)
}

async fn of_400_messages_at_once_none_is_lost_and_nobody_is_closed(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.rates(Rates::default())).await;
    let mut client = server.client().await;
    for id in 0..400 {
        client.say(format!(r#"{{"type":"part","id":{id},"channel":"room"}}"#)).await;
    }
    for id in 0..400 {
        assert_eq!(client.expect("parted").await["id"], id);
    }
    assert_eq!(client.hear_all().await, (vec![], None));
}

async fn who_floods_is_closed_with_4013_and_disturbs_nobody(adapter: Adapter) {
    let server = adapter.start_with(impatient).await;
    let (mut pair, mut witness) = (Pair::join(&server).await, server.client().await);
    let mut client = server.client().await;
    witness.join("room").await;
    client.join("room").await;
    witness.expect("addPeer").await;
    let flood = tokio::spawn(async move {
        flood(&mut client, Message::text(r#"{"type":"part","channel":"elsewhere"}"#)).await;
        client
    });
    pair.exchange().await;
    let mut client = flood.await.unwrap();
    assert_eq!(client.hear_until_closed().await.1, Heard::Closed(4013, "rate".to_owned()));
    assert_eq!(witness.expect("removePeer").await["reason"], "closed");
    pair.exchange().await;
    let (_, welcome) = server.resume(&client.token, client.received).await;
    assert_eq!(welcome["resumed"], false);
}

async fn who_floods_with_pings_is_closed_too(adapter: Adapter) {
    let server = adapter.start_with(impatient).await;
    let mut pair = Pair::join(&server).await;
    let mut client = server.client().await;
    let flood = tokio::spawn(async move {
        flood(&mut client, Message::Ping("are you there".into())).await;
        client
    });
    pair.exchange().await;
    let (texts, closed) = flood.await.unwrap().hear_until_closed().await;
    assert_eq!((texts, closed), (vec![], Heard::Closed(4013, "rate".to_owned())));
    pair.exchange().await;
}

async fn who_floods_with_errors_is_closed_for_them(adapter: Adapter) {
    let server = adapter.start_with(|builder| builder.rates(Rates::default())).await;
    let mut client = server.client().await;
    flood(&mut client, Message::text("rubbish")).await;
    let (texts, closed) = client.hear_until_closed().await;
    assert_eq!((texts.len(), closed), (20, Heard::Closed(4005, "protocol".to_owned())));
}

async fn a_new_socket_brings_no_new_burst(adapter: Adapter) {
    let server = adapter.start_with(still).await;
    let mut client = server.client().await;
    // `hello` was the first.
    for _ in 0..4 {
        ping_pong(&mut client).await;
    }
    let (token, received) = (client.token.clone(), client.received);
    drop(client);
    let (mut client, welcome) = server.resume(&token, received).await;
    assert_eq!(welcome["resumed"], true);
    client.say(r#"{"type":"ping"}"#).await;
    assert_silent(&server, &mut client).await;
}

async fn a_newcomer_to_a_full_channel_may_call_all_of_it_at_once(adapter: Adapter) {
    const CANDIDATES: usize = 20;
    let limits = Limits::default();
    let others = limits.members_per_channel - 1;
    let rates = Rates { patience: Duration::ZERO, ..Rates::default() };
    let server = adapter.start_with(|builder| builder.rates(rates)).await;
    let mut members = Vec::new();
    for _ in 0..others {
        let mut member = server.client().await;
        member.join("room").await;
        members.push(member);
    }
    let mut newcomer = server.client().await;
    let introductions = newcomer.join("room").await;
    assert_eq!(introductions.len(), others);
    // As large as for audio and video in a browser.
    let sdp = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\\r\\n".repeat(130);
    for introduction in &introductions {
        let to = introduction["peer_id"].as_str().unwrap();
        let offer = format!(r#"{{"type":"offer","sdp":"{sdp}"}}"#);
        let relay = r#"{"type":"relaySessionDescription","peer_id":"#;
        newcomer.say(format!(r#"{relay}"{to}","session_description":{offer}}}"#)).await;
    }
    for number in 0..CANDIDATES {
        for introduction in &introductions {
            let to = introduction["peer_id"].as_str().unwrap();
            let candidate = format!(
                r#"{{"candidate":"candidate:{number} 1 udp 2122260223 192.0.2.1 54321 typ host","sdpMid":"0"}}"#
            );
            newcomer
                .say(format!(
                    r#"{{"type":"relayICECandidate","peer_id":"{to}","ice_candidate":{candidate}}}"#
                ))
                .await;
        }
    }
    // With no patience at all, one pause would have closed it.
    assert_eq!(newcomer.hear_all().await, (vec![], None));
    for mut member in members {
        let (texts, closed) = member.hear_all().await;
        assert_eq!(closed, None);
        let count = |wanted: &str| texts.iter().filter(|text| type_of(text) == wanted).count();
        assert_eq!((count("sessionDescription"), count("iceCandidate")), (1, CANDIDATES));
    }
}

/// The browser finds more candidates, and cannot know that the other one is gone, or has come again.
async fn nobody_is_closed_for_candidates_to_somebody_who_has_left(adapter: Adapter) {
    let server = adapter.start_with(impatient).await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    ann.join("room").await;
    bob.join("room").await;
    let id = ann.expect("addPeer").await["connection_id"].clone();
    let candidate = format!(
        r#"{{"type":"relayICECandidate","peer_id":"{}","ice_candidate":null,"connection_id":{id}}}"#,
        bob.peer
    );
    bob.say(r#"{"type":"part","channel":"room"}"#).await;
    bob.expect("parted").await;
    ann.expect("removePeer").await;
    trickle_in_vain(&mut ann, &candidate, "unknown_peer").await;
    bob.expect("removePeer").await;
    bob.join("room").await;
    ann.expect("addPeer").await;
    trickle_in_vain(&mut ann, &candidate, "stale_connection").await;
    assert_eq!(ann.hear_all().await, (vec![], None));
}

async fn trickle_in_vain(client: &mut Client, candidate: &str, code: &str) {
    const CANDIDATES: usize = 60;
    for _ in 0..CANDIDATES {
        client.say(candidate).await;
    }
    for _ in 0..CANDIDATES {
        client.expect_error(code).await;
    }
}

async fn who_is_not_read_is_written_to(adapter: Adapter) {
    let server = adapter.start_with(still).await;
    let mut client = server.client().await;
    use_up(&mut client).await;
    let peer = client.peer.parse().unwrap();
    server.signaling.send_to_peer(&peer, &"are you there").unwrap();
    // Its messages are acknowledged as well.
    let mut types = [client.hear_any_text().await, client.hear_any_text().await].map(|text| type_of(&text));
    types.sort();
    assert_eq!(types, ["ack", "message"]);
}

async fn who_is_not_read_is_not_taken_for_silent(adapter: Adapter) {
    let timing = Timing { heartbeat: SHORT, heartbeat_timeout: SHORT, ..Timing::default() };
    let server = adapter.start_with(|builder| still(builder).timing(timing)).await;
    let mut client = server.client().await;
    use_up(&mut client).await;
    client.say(r#"{"type":"ping"}"#).await;
    client.expect("pong").await;
}

/// Sends as much as the server takes, until it is closed.
async fn flood(client: &mut Client, message: Message) {
    while client.try_say_frame(message.clone()).await.is_ok() {}
}

/// Sends a request for each message that a still server reads.
async fn use_up(client: &mut Client) {
    for id in 0..4 {
        client.say(format!(r#"{{"type":"part","id":{id},"channel":"room"}}"#)).await;
        assert_eq!(client.expect("parted").await["id"], id);
    }
}

async fn ping_pong(client: &mut Client) {
    client.say(r#"{"type":"ping"}"#).await;
    client.expect("pong").await;
}

/// A request of another client is answered before this one's is read.
async fn assert_silent(server: &Server, client: &mut Client) {
    let mut other = server.client().await;
    tokio::select! {
        biased;
        text = client.hear_any_text() => panic!("it is read: {text}"),
        () = ping_pong(&mut other) => {}
    }
}
