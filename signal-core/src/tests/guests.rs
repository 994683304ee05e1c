//! Sessions that live in a namespace, and what those who speak another protocol are told beside a message.

use std::time::Instant;

use crate::{
    ChannelName, ClientFrame, ClientMessage, Epoch, ErrorCode, Grant, Hub, Input, JoinGrant, Limits,
    LocalLog, MatchGrant, Output, Payload, PeerId, Place, PoolName, ServerMessage, SessionId,
    codec::{self, FrameLimits},
};

/// A hub whose policy allows everything. Each line is a recipient, what it is told, and the context of that.
struct Stage {
    hub: Hub,
    log: LocalLog,
    lines: Vec<String>,
}

impl Stage {
    /// Peers, each with its namespace.
    fn with<const N: usize>(peers: [(&str, Option<&'static str>); N]) -> Self {
        let hub = Hub::new(Limits::default(), Epoch(7));
        let mut stage = Self { hub, log: LocalLog::default(), lines: Vec::new() };
        for ((name, namespace), session) in peers.into_iter().zip((0..).map(SessionId)) {
            stage.feed(Input::Connected {
                session,
                peer: PeerId::new(name).unwrap(),
                identity: None,
                namespace,
            });
        }
        stage
    }

    fn feed(&mut self, input: Input<'_>) {
        let mut questions = Vec::new();
        self.log.handle_input(&mut self.hub, Instant::now(), input, |output| {
            if let Output::Authorize { token, place, .. } = &output {
                questions.push((*token, (*place).clone()));
            } else if let Output::Send { to, message, context } = &output {
                let to: Vec<_> = to.iter().map(|session| session.0).collect();
                let members = context.channel.map(|channel| channel.members().len());
                let gone = context.gone.map(|gone| (gone.peer.as_str(), gone.userdata.as_deref()));
                let undelivered = context.undelivered.map(Payload::as_str);
                self.lines.push(format!("{to:?} {}: {members:?} {gone:?} {undelivered:?}", kind(message)));
            }
        });
        for (token, place) in questions {
            let grant = match place {
                Place::Channel(_) => JoinGrant::default().into(),
                Place::Pool(_) => {
                    Grant::Match { grant: MatchGrant::default(), room: ChannelName::new("~room").unwrap() }
                }
            };
            self.feed(Input::Authorized { token, grant });
        }
    }

    fn say(&mut self, session: u32, text: &str) {
        let frame = codec::decode(text, &FrameLimits::default()).unwrap();
        self.feed(Input::Message { session: SessionId(session), frame });
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

fn kind(message: &ServerMessage<'_>) -> String {
    if let ServerMessage::Error { code, .. } = message {
        return code.as_str().to_owned();
    }
    let mut text = Vec::new();
    codec::encode(message, &mut text);
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    value["type"].as_str().unwrap().to_owned()
}

#[test]
fn names_tell_their_namespace() {
    let name = ChannelName::within("matchbox", "a:b").unwrap();
    assert_eq!((name.as_str(), name.namespace(), name.local()), ("~matchbox:a:b", Some("matchbox"), "a:b"));
    assert!(!name.is_of_a_match());
    let plain = ChannelName::new("a:b").unwrap();
    assert_eq!((plain.namespace(), plain.local()), (None, "a:b"));
    let of_match = ChannelName::new("~0123456789abcdefABCDEF").unwrap();
    assert!(of_match.is_of_a_match() && of_match.namespace().is_none());
    let pool = PoolName::within("matchbox", "a?next=2").unwrap();
    assert_eq!((pool.namespace(), pool.local()), (Some("matchbox"), "a?next=2"));
    for name in ["", "a\nb", &"x".repeat(120)] {
        assert!(ChannelName::within("matchbox", name).is_err(), "{name}");
    }
}

#[test]
fn names_of_a_namespace_are_for_its_sessions_alone() {
    let mut stage = Stage::with([("native", None), ("guest", Some("one")), ("other", Some("two"))]);
    for (session, place, told) in [
        (0, "~one:x", "unauthorized"),
        (2, "~one:x", "unauthorized"),
        (0, "~one", "unauthorized"),
        (1, "~one", "unauthorized"),
        (1, "~one:x", "joined"),
        (1, "x", "joined"),
    ] {
        stage.say(session, &format!(r#"{{"type":"join","channel":"{place}"}}"#));
        let [line] = &*stage.told() else { panic!("{place}") };
        assert!(line.starts_with(&format!("[{session}] {told}: ")), "{line}");
    }
    for (session, told) in [(0, "unauthorized"), (2, "unauthorized"), (1, "waiting")] {
        stage.say(session, r#"{"type":"match","pool":"~one:x"}"#);
        let [line] = &*stage.told() else { panic!() };
        assert!(line.starts_with(&format!("[{session}] {told}: ")), "{line}");
    }
}

#[test]
fn a_message_comes_with_what_the_hub_knows_besides() {
    let mut stage = Stage::with([("a", None), ("b", None)]);
    stage.say(0, r#"{"type":"join","channel":"x","userdata":1}"#);
    stage.say(1, r#"{"type":"join","channel":"x"}"#);
    stage.say(0, r#"{"type":"send","peer_id":"c","data":[2]}"#);
    stage.say(0, r#"{"type":"part","channel":"x"}"#);
    assert_eq!(
        stage.told(),
        [
            "[0] joined: Some(1) None None",
            "[0] addPeer: Some(2) None None",
            "[1] joined: Some(2) None None",
            "[1] addPeer: Some(2) None None",
            "[0] unknown_peer: None None Some(\"[2]\")",
            "[1] removePeer: Some(1) Some((\"a\", Some(\"1\"))) None",
            "[0] parted: Some(1) None None",
            "[0] removePeer: Some(1) Some((\"b\", None)) None",
        ]
    );
}

#[test]
fn an_echo_goes_to_the_sender_too() {
    let mut stage = Stage::with([("a", None), ("b", None)]);
    for session in [0, 1] {
        stage.say(session, r#"{"type":"join","channel":"x"}"#);
    }
    stage.told();
    for echo in [false, true] {
        let message = ClientMessage::SendToChannel { channel: "x".into(), data: Payload::NULL, echo };
        stage.feed(Input::Message { session: SessionId(1), frame: ClientFrame { id: None, message } });
    }
    assert_eq!(stage.told(), ["[0] message: Some(2) None None", "[0, 1] message: Some(2) None None"]);
}

#[test]
fn a_text_of_another_protocol_is_held_to_the_bounds_of_a_frame() {
    let limits = FrameLimits::default();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for text in ["\"KeepAlive\"", " [1, {\"a\": null}] ", "5", "null", &nested(16)] {
        assert_eq!(codec::check(text, &limits), Ok(()), "{text}");
    }
    for text in ["", "x", "[1", "{} {}", "\"\\ud800\"", "{a:1}", &nested(17)] {
        assert_eq!(codec::check(text, &limits), Err(ErrorCode::BadMessage), "{text}");
    }
    let large = format!("\"{}\"", "x".repeat(limits.message));
    assert_eq!(codec::check(&large, &limits), Err(ErrorCode::TooLarge));
}
