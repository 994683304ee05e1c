//! What `docs/protocol.md` lists and what the code has are the same.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::Value;

use crate::{
    ACK_EVERY, ChannelName, CloseReason, ConnectionId, EndReason, ErrorCode, Limits, MatchEnd, PeerId,
    RequestId, ServerMessage,
    codec::{self, FrameLimits},
};

/// A file of `docs`.
fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file)).unwrap()
}

/// What stands under a heading, up to the next one of its level.
fn under<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n{heading}")).unwrap_or_else(|| panic!("there is no {heading}")) + 1;
    let level = heading.split(' ').next().unwrap();
    let body = &text[start + heading.len()..];
    body.find(&format!("\n{level} ")).map_or(body, |end| &body[..end])
}

/// The cells of all rows of tables whose first cell is not a heading.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// What stands between backticks, if that is all.
fn word(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

#[test]
fn each_error_is_listed_and_no_other() {
    let protocol = read("protocol.md");
    let listed: BTreeSet<_> =
        rows(under(&protocol, "## 13")).filter_map(|row| Some((word(row[0])?, row[2] == "yes"))).collect();
    let known = ErrorCode::ALL.map(|code| (code.as_str(), code.is_error_of_form()));
    assert_eq!(listed, BTreeSet::from(known));
}

#[test]
fn each_close_is_listed_and_no_other() {
    let protocol = read("protocol.md");
    let listed: BTreeSet<_> = rows(under(&protocol, "## 14"))
        .filter_map(|row| Some((row[0].parse::<u16>().ok()?, word(row[1])?)))
        .collect();
    assert_eq!(listed, BTreeSet::from(CloseReason::ALL.map(|reason| (reason.code(), reason.as_str()))));
}

#[test]
fn each_reason_is_listed_and_no_other() {
    let protocol = read("protocol.md");
    let keys = ["channel", "peer_id", "reason"];
    let listed: BTreeSet<_> = rows(under(&protocol, "### removePeer"))
        .filter_map(|row| word(row[0]))
        .filter(|key| !keys.contains(key))
        .collect();
    assert_eq!(listed, BTreeSet::from(EndReason::ALL.map(EndReason::as_str)));
    let ends = [MatchEnd::Timeout, MatchEnd::Detached, MatchEnd::Unavailable].map(MatchEnd::as_str);
    let matching = under(&protocol, "### waiting, matched, matchEnded");
    let row = rows(matching).find(|row| row[1] == "`reason`").unwrap();
    let listed = row[2].split('`').skip(1).step_by(2);
    assert_eq!(
        listed.filter(|name| !["welcome"].contains(name)).collect::<BTreeSet<_>>(),
        BTreeSet::from(ends)
    );
}

/// The messages that a section describes: their names are its headings.
fn described(protocol: &str, section: &str) -> BTreeSet<String> {
    let headings = under(protocol, section).lines().filter_map(|line| line.strip_prefix("### "));
    headings.flat_map(|heading| heading.split(", ")).map(str::to_owned).collect()
}

/// The messages of a file of vectors.
fn in_vectors(file: &str) -> BTreeSet<String> {
    let vectors: Vec<Value> = serde_json::from_str(&read(file)).unwrap();
    vectors.iter().map(|vector| vector["frame"]["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_message_is_described_and_has_a_vector() {
    let protocol = read("protocol.md");
    assert_eq!(described(&protocol, "## 5"), in_vectors("vectors/client-messages.json"));
    assert_eq!(described(&protocol, "## 6"), in_vectors("vectors/server-messages.json"));
    let vectors: Vec<Value> = serde_json::from_str(&read("vectors/server-messages.json")).unwrap();
    for vector in vectors {
        let text = vector["frame"].to_string();
        assert_eq!(kind(&codec::decode_server(&text).unwrap().message().unwrap()), vector["frame"]["type"]);
    }
}

/// Whoever adds a message here describes it, and adds a vector.
fn kind(message: &ServerMessage<'_>) -> &'static str {
    match message {
        ServerMessage::Welcome { .. } => "welcome",
        ServerMessage::IceServers { .. } => "iceServers",
        ServerMessage::Joined { .. } => "joined",
        ServerMessage::Parted { .. } => "parted",
        ServerMessage::Ok { .. } => "ok",
        ServerMessage::AddPeer { .. } => "addPeer",
        ServerMessage::RemovePeer { .. } => "removePeer",
        ServerMessage::SessionDescription { .. } => "sessionDescription",
        ServerMessage::IceCandidate { .. } => "iceCandidate",
        ServerMessage::Userdata { .. } => "userdata",
        ServerMessage::Message { .. } => "message",
        ServerMessage::Waiting { .. } => "waiting",
        ServerMessage::Matched { .. } => "matched",
        ServerMessage::MatchEnded { .. } => "matchEnded",
        ServerMessage::Ack { .. } => "ack",
        ServerMessage::Pong => "pong",
        ServerMessage::Closing { .. } => "closing",
        ServerMessage::Error { .. } => "error",
    }
}

#[test]
fn each_bound_has_the_default_that_is_told() {
    let (protocol, limits, frames) = (read("protocol.md"), Limits::default(), FrameLimits::default());
    let table: Vec<_> = rows(under(&protocol, "## 15")).collect();
    let kib = |bytes: usize| format!("{} KiB *", bytes >> 10);
    let seconds = |time: Duration| format!("{} s *", time.as_secs());
    for (what, expected) in [
        ("message to the server", kib(frames.message)),
        ("nesting depth", format!("{} *, at most {}", frames.depth, FrameLimits::MAX_DEPTH)),
        ("keys in one object", format!("{} *", frames.keys)),
        ("session description, as JSON text", kib(frames.session_description)),
        ("candidate, as JSON text", kib(frames.ice_candidate)),
        ("userdata, as JSON text", kib(frames.userdata)),
        ("channel name, pool name", format!("1 to {} bytes", ChannelName::MAX_BYTES)),
        ("peer id", format!("1 to {} bytes", PeerId::MAX_BYTES)),
        ("request id", format!("{} bytes, or 2^53 - 1", RequestId::MAX_BYTES)),
        ("connection id", format!("{} bytes", ConnectionId::MAX_BYTES)),
        ("token, resume token, `replaces`, `seat`", format!("{} bytes *", in_groups(frames.token))),
        ("members of a channel", format!("{} *, or less by the policy", limits.members_per_channel)),
        (
            "members of a channel in which nobody is introduced",
            format!("{} *, or less by the policy", in_groups(limits.members_unlisted)),
        ),
        ("channels of a peer, waiting joins and pools included", format!("{} *", limits.channels_per_peer)),
        ("channels with members on one server", format!("{} *", in_groups(limits.channels))),
        ("pools with somebody waiting on one server", format!("{} *", in_groups(limits.pools))),
        ("until the last ones met are met again", seconds(limits.rematch)),
        ("messages that wait for a decision", format!("{} * a session", limits.waiting_messages)),
        ("decision of the policy", seconds(limits.authorize_timeout)),
        ("decision of the channel's log", seconds(limits.commit_timeout)),
        (
            "errors of form",
            format!("{} within {}", limits.malformed_frames - 1, seconds(limits.malformed_window)),
        ),
        ("grace time", seconds(limits.grace)),
        ("after a start with keys: seats for those who return", seconds(limits.returning)),
        ("`ack`", format!("each {ACK_EVERY} counted frames, or 1 s")),
    ] {
        let row = table.iter().find(|row| row[0] == what).unwrap_or_else(|| panic!("{what} is not listed"));
        assert_eq!(row[1], expected, "{what}");
    }
    let waiting = table.iter().find(|row| row[0] == "waiting in one pool").unwrap()[1];
    assert!(waiting.starts_with(&format!("{} *,", in_groups(limits.waiting_per_pool))), "{waiting}");
    let read = table.iter().find(|row| row[0] == "message to the server").unwrap()[2];
    assert!(read.contains(&format!("above {} close 1009", kib(frames.read))), "{read}");
}

/// A number with a comma before each three digits.
fn in_groups(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
