//! Text messages that break a rule, or look as if they did.

use super::scene::{Scene, described, heard};

/// A message of this size to the channel of the row.
pub(super) fn message_of(size: usize) -> String {
    let (start, end) = (r#"{"type":"send","channel":"r","data":""#, r#""}"#);
    format!("{start}{}{end}", "d".repeat(size - start.len() - end.len()))
}

/// A message to the channel of the row with this, written in JSON.
pub(super) fn data(json: impl AsRef<str>) -> String {
    format!(r#"{{"type":"send","id":1,"channel":"$room","data":{}}}"#, json.as_ref())
}

/// Arrays so deep; the message is one level more.
pub(super) fn deep(depth: usize) -> String {
    data("[".repeat(depth) + &"]".repeat(depth))
}

/// A join of the channel with this name, written in JSON.
pub(super) fn join(name: impl AsRef<str>) -> String {
    format!(r#"{{"type":"join","channel":{}}}"#, name.as_ref())
}

/// A text of so many letters, written in JSON.
pub(super) fn quoted(size: usize) -> String {
    format!(r#""{}""#, "x".repeat(size))
}

/// A request with this id, written in JSON.
pub(super) fn with_id(id: &str) -> String {
    format!(r#"{{"type":"part","id":{id},"channel":"elsewhere"}}"#)
}

/// What is answered to one of two members, and what the other hears of it. `text` is made for the peer id of the other;
/// in it, `$room` is the channel.
pub(super) async fn between_two(scene: &Scene, text: impl FnOnce(&str) -> String) -> String {
    let (mut ann, mut bob) = scene.members().await;
    ann.say(text(&bob.peer).replace("$room", &scene.room)).await;
    let answer = heard(&mut ann).await;
    let (texts, _) = bob.hear_all().await;
    let of_ann = format!(r#""peer_id":"{}""#, ann.peer);
    assert!(texts.iter().all(|text| text.contains(&of_ann)), "{texts:?}");
    format!("{answer}; the other hears {}", described(&texts, None))
}

/// Sends data from one member to another, who must get it byte for byte.
pub(super) async fn arrives(scene: &Scene, json: &str) -> String {
    let (mut ann, mut bob) = scene.members().await;
    ann.say(data(json).replace("$room", &scene.room)).await;
    ann.expect("ok").await;
    let text = bob.hear_text().await;
    if text.ends_with(&format!(r#""data":{json}}}"#)) { "it arrives".to_owned() } else { text }
}

/// A session description for a peer.
pub(super) fn description(peer: &str, description: &str) -> String {
    let relay = r#"{"type":"relaySessionDescription","id":1,"peer_id":"#;
    format!(r#"{relay}"{peer}","session_description":{description}}}"#)
}

/// An offer of this size.
pub(super) fn offer_of(size: usize) -> String {
    let (start, end) = (r#"{"type":"offer","sdp":""#, r#""}"#);
    format!("{start}{}{end}", "s".repeat(size - start.len() - end.len()))
}

/// A candidate for a peer.
pub(super) fn candidate(peer: &str, candidate: &str) -> String {
    format!(r#"{{"type":"relayICECandidate","id":1,"peer_id":"{peer}","ice_candidate":{candidate}}}"#)
}

/// Relays to oneself, to nobody, to somebody who has gone, and to somebody who is in no channel of the sender.
pub(super) async fn to_who_may_not_be_reached(scene: &Scene) -> String {
    let (mut ann, gone, elsewhere) = (scene.member().await, scene.client().await, scene.client().await);
    let peers = [ann.peer.clone(), "nobody".to_owned(), gone.peer.clone(), elsewhere.peer.clone()];
    gone.bye().await;
    let mut answers = Vec::new();
    for peer in &peers {
        ann.say(candidate(peer, "null")).await;
        answers.push(ann.hear_text().await.replace(peer, "PEER"));
    }
    answers.dedup();
    // Nobody can find out by them who is there.
    format!("{}, word for word", described(&answers, None))
}

/// Somebody in channels whose names would match others, if they were patterns. What is heard of those others.
pub(super) async fn names_that_could_be_patterns(scene: &Scene) -> String {
    let (mut ann, mut mal) = (scene.client().await, scene.client().await);
    let room = &scene.room;
    for name in ["*", ">", "*.*", &format!("{room}.*"), &format!("{room}.>"), room, &format!("{room}.a ")] {
        mal.join(name).await;
    }
    ann.join(&format!("{room}.a")).await;
    ann.say(format!(r#"{{"type":"send","id":1,"channel":"{room}.a","data":1}}"#)).await;
    ann.expect("ok").await;
    heard(&mut mal).await
}
