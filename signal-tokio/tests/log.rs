//! What the log tells of a conversation with those who would like to write into it.

mod memory;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use memory::Client;
use signal_tokio::{
    Admission, CloseReason, JoinGrant, JoinRequest, Limits, PeerInfo, Policy, Refusal, Signaling, async_trait,
};
use tracing::Level;

/// A line's end, a terminal's colours and its bell, the other direction of reading, one that nobody sees.
const HOSTILE: &str = "ann\nINFO forged\r\u{1b}[31m\u{7}\u{202e}\u{200b}\u{9b}2J";

/// Names the client and refuses it in words that it may have chosen.
struct Careless;

#[async_trait]
impl Policy for Careless {
    async fn join(&self, _: &PeerInfo, request: &JoinRequest<'_>) -> Result<JoinGrant, Refusal> {
        match request.channel {
            "closed" => Err(Refusal::unauthorized(HOSTILE)),
            "broken" => panic!("it has lost its head"),
            _ => Ok(JoinGrant::default()),
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no test panics with it").clone()).expect("text")
    }
}

#[tokio::test]
async fn the_log_has_ids_and_reasons_but_no_secret_and_no_text_that_is_not_escaped() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let limits = Limits { grace: Duration::from_secs(3600), ..Limits::default() };
    let signaling = Signaling::builder().policy(Careless).limits(limits).build().expect("it can work");
    let (ann, ann_id, token) =
        connect(&signaling, r#"{"type":"hello","version":1,"token":"ann's password"}"#).await;
    let (ben, ben_id, _) = connect(&signaling, r#"{"type":"hello","version":1}"#).await;
    // The protocol lets these signs through.
    let channel = "tea\u{202e}\u{200b}\u{2028}";
    let userdata = r#"{"name":"\n\u001b[31mmallory"}"#;
    let join = format!(r#"{{"type":"join","id":1,"channel":"{channel}","userdata":{userdata}}}"#).leak();
    for client in [&ann, &ben] {
        client.say(join);
        hear(client, "joined").await;
    }
    ann.say(
        format!(
            r#"{{"type":"relaySessionDescription","peer_id":"{ben_id}","session_description":{{"type":"offer","sdp":"v=0 o=secret-sdp"}}}}"#
        )
        .leak(),
    );
    ann.say(
        format!(
            r#"{{"type":"relayICECandidate","peer_id":"{ben_id}","ice_candidate":{{"candidate":"candidate:1 192.0.2.77"}}}}"#
        )
        .leak(),
    );
    hear(&ben, "iceCandidate").await;
    for message in [
        r#"{"type":"join","id":2,"channel":"closed"}"#,
        r#"{"type":"join","id":3,"channel":"broken"}"#,
        "{\"type\":\"join\",\"id\":4,\"channel\":\"a\\nb\\u001b[31m\"}",
        "{\"type\":\"\\u001b[2J\"}",
        "not JSON \u{1b}[31m",
    ] {
        ann.say(message);
        hear(&ann, "error").await;
    }
    ann.hang_up();
    let resume =
        format!(r#"{{"type":"hello","version":1,"resume":{{"token":"{token}","received":2}}}}"#).leak();
    let (ann, _, next_token) = connect(&signaling, resume).await;
    ann.say(r#"{"type":"bye"}"#);
    assert_eq!(ann.hear_close().await, CloseReason::Bye);
    hear(&ben, "removePeer").await;

    let text = log.text();
    for told in [
        "a session has begun",
        "a session goes on",
        "a session has ended",
        "joined",
        "parted",
        "refused",
        "the policy has panicked",
        "a socket is closed",
        ann_id.as_str(),
        ben_id.as_str(),
        "reason=\"bye\"",
        r#"channel="tea\u{202e}\u{200b}\u{2028}""#,
        r"ann\nINFO forged\r\u{1b}[31m",
    ] {
        assert!(text.contains(told), "{told} is missing");
    }
    let raw = text.chars().find(|sign| {
        sign.is_control() && *sign != '\n' || ['\u{202e}', '\u{200b}', '\u{2028}'].contains(sign)
    });
    assert_eq!(raw, None);
    assert!(!text.lines().any(|line| line.starts_with("INFO forged")));
    for secret in
        [token.as_str(), &next_token, "password", "secret-sdp", "192.0.2.77", "candidate:", "mallory"]
    {
        assert!(!text.contains(secret), "{secret} is told");
    }
}

/// A client that has said hello, its peer id, and its resume token.
async fn connect(signaling: &Signaling, hello: &'static str) -> (Client, String, String) {
    let client = Client::with_capacity(64);
    tokio::spawn(signaling.serve(client.socket(), Admission::identified(HOSTILE)));
    client.say(hello);
    let welcome: serde_json::Value = serde_json::from_str(&client.hear_text().await).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    (client, text(&welcome["peer_id"]), text(&welcome["resume"]["token"]))
}

async fn hear(client: &Client, name: &str) {
    while !client.hear_text().await.contains(&format!(r#""type":"{name}""#)) {}
}
