//! When TURN credentials come, by a clock that jumps to what happens next whenever nothing is left to do.

mod memory;

use std::time::Duration;

use async_trait::async_trait;
use memory::Client;
use serde_json::Value;
use signal_tokio::{Admission, ConfigError, Hello, Limits, Policy, Refusal, Signaling, Timing, Turn};
use tokio::time;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const SECRET: &str = "as long as it is secret";

#[tokio::test(start_paused = true)]
async fn fresh_credentials_come_when_four_fifths_of_their_life_are_over() {
    let signaling = server();
    let ann = welcomed(&signaling, "ann").await;
    ann.say(r#"{"type":"join","channel":"a"}"#);
    let first = expect(&ann, "iceServers").await;
    expect(&ann, "joined").await;
    ann.say(r#"{"type":"join","channel":"b"}"#);
    expect(&ann, "joined").await;
    let mut last = first;
    for _ in 0..3 {
        time::sleep(48 * MINUTE - Duration::from_secs(1)).await;
        nothing_has_come(&ann).await;
        time::sleep(Duration::from_secs(1)).await;
        let fresh = expect(&ann, "iceServers").await;
        assert_eq!(fresh["ttl_ms"], 3_600_000);
        last = fresh;
    }
    let turn = &last["ice_servers"][1];
    assert_eq!(last["ice_servers"][0]["urls"][0], "stun:stun.example.org");
    assert_eq!(turn["urls"][0], "turn:turn.example.org");
    assert!(turn["username"].as_str().unwrap().ends_with(signaling.peers()[0].as_str()));
}

#[tokio::test(start_paused = true)]
async fn who_is_in_no_channel_gets_them_with_the_next_join() {
    let signaling = server();
    let ann = welcomed(&signaling, "ann").await;
    ann.say(r#"{"type":"join","channel":"a"}"#);
    expect(&ann, "iceServers").await;
    expect(&ann, "joined").await;
    ann.say(r#"{"type":"part","channel":"a"}"#);
    expect(&ann, "parted").await;
    time::sleep(47 * MINUTE).await;
    ann.say(r#"{"type":"join","channel":"a"}"#);
    expect(&ann, "joined").await;
    ann.say(r#"{"type":"part","channel":"a"}"#);
    expect(&ann, "parted").await;
    time::sleep(HOUR).await;
    nothing_has_come(&ann).await;
    ann.say(r#"{"type":"join","channel":"a"}"#);
    expect(&ann, "iceServers").await;
    expect(&ann, "joined").await;
}

#[tokio::test(start_paused = true)]
async fn who_has_no_socket_gets_them_with_the_next_one() {
    let signaling = server();
    let ann = connect(&signaling);
    ann.say(r#"{"type":"hello","version":1,"token":"ann"}"#);
    let welcome = expect(&ann, "welcome").await;
    ann.say(r#"{"type":"join","channel":"a"}"#);
    expect(&ann, "iceServers").await;
    expect(&ann, "joined").await;
    ann.hang_up();
    time::sleep(2 * HOUR).await;
    let token = welcome["resume"]["token"].as_str().unwrap();
    let back = connect(&signaling);
    let resume = format!(r#"{{"token":"{token}","received":2}}"#);
    back.say(format!(r#"{{"type":"hello","version":1,"token":"ann","resume":{resume}}}"#).leak());
    assert_eq!(expect(&back, "welcome").await["resumed"], true);
    expect(&back, "iceServers").await;
    nothing_has_come(&back).await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_gets_ten_in_ten_minutes_and_the_next_ones_later() {
    let signaling = server();
    for _ in 0..10 {
        let ann = welcomed(&signaling, "ann").await;
        ann.say(r#"{"type":"join","channel":"a"}"#);
        expect(&ann, "iceServers").await;
    }
    let late = welcomed(&signaling, "ann").await;
    late.say(r#"{"type":"join","channel":"b"}"#);
    expect(&late, "joined").await;
    let other = welcomed(&signaling, "bob").await;
    other.say(r#"{"type":"join","channel":"b"}"#);
    expect(&other, "iceServers").await;
    expect(&late, "addPeer").await;
    // Asking again does not help.
    late.say(r#"{"type":"join","channel":"c"}"#);
    expect(&late, "joined").await;
    time::sleep(10 * MINUTE - Duration::from_secs(1)).await;
    nothing_has_come(&late).await;
    time::sleep(Duration::from_secs(1)).await;
    expect(&late, "iceServers").await;
}

#[tokio::test(start_paused = true)]
async fn a_full_outbox_ends_the_session_that_gets_them() {
    let signaling = configured().outbox(2, 64 << 10).build().unwrap();
    let ann = welcomed(&signaling, "ann").await;
    ann.say(r#"{"type":"join","channel":"a"}"#);
    expect(&ann, "iceServers").await;
    expect(&ann, "joined").await;
    time::sleep(48 * MINUTE).await;
    assert_eq!(ann.hear_close().await, signal_tokio::CloseReason::Overflow);
    assert_eq!(signaling.peers(), []);
}

#[test]
fn what_cannot_work_is_refused() {
    let refused = |turn: Turn| Signaling::builder().turn(turn).build().unwrap_err();
    let turn = || Turn::new(["turn:turn.example.org"], SECRET);
    for seconds in [0, 599, 3601] {
        assert_eq!(refused(turn().ttl(Duration::from_secs(seconds))), ConfigError::TurnTtl);
    }
    for seconds in [600, 3600] {
        assert!(Signaling::builder().turn(turn().ttl(Duration::from_secs(seconds))).build().is_ok());
    }
    assert_eq!(refused(turn().ttl_for_tests(400 * 24 * HOUR)), ConfigError::TooLong("turn"));
    assert_eq!(refused(turn().limit(10, Duration::MAX)), ConfigError::TooLong("turn"));
    assert!(matches!(refused(turn().limit(0, MINUTE)), ConfigError::Zero(_)));
    assert_eq!(refused(Turn::new(["turn:turn.example.org"], "too short")), ConfigError::ShortTurnSecret);
    assert!(matches!(refused(Turn::new(Vec::<String>::new(), SECRET)), ConfigError::Zero(_)));
    let stun = ConfigError::IceServer("stun:stun.example.org".to_owned());
    assert_eq!(refused(Turn::new(["stun:stun.example.org"], SECRET)), stun);
}

/// Whoever says hello has the identity that its token names.
struct ByToken;

#[async_trait]
impl Policy for ByToken {
    async fn hello(&self, _: Admission, hello: &Hello<'_>) -> Result<Admission, Refusal> {
        Ok(Admission::identified(hello.token.as_deref().unwrap_or_default()))
    }
}

fn server() -> Signaling {
    configured().build().expect("it can work")
}

fn configured() -> signal_tokio::Builder<ByToken> {
    // The clients of these tests say nothing for hours.
    let timing = Timing { heartbeat: 24 * HOUR, ..Timing::default() };
    let limits = Limits { grace: 24 * HOUR, ..Limits::default() };
    let stun = signal_tokio::IceServer::stun("stun:stun.example.org");
    let turn = Turn::new(["turn:turn.example.org"], SECRET);
    Signaling::builder().policy(ByToken).timing(timing).limits(limits).ice_servers([stun]).turn(turn)
}

fn connect(signaling: &Signaling) -> Client {
    let client = Client::default();
    tokio::spawn(signaling.serve(client.socket(), Admission::default()));
    client
}

/// A client with this identity. STUN servers need no credentials, so it knows them.
async fn welcomed(signaling: &Signaling, identity: &str) -> Client {
    let client = connect(signaling);
    client.say(format!(r#"{{"type":"hello","version":1,"token":"{identity}"}}"#).leak());
    let welcome = expect(&client, "welcome").await;
    assert_eq!(welcome["ice_servers"].to_string(), r#"[{"urls":["stun:stun.example.org"]}]"#);
    client
}

async fn expect(client: &Client, wanted: &str) -> Value {
    let message: Value = serde_json::from_str(&hear(client).await).expect("frames are JSON");
    assert_eq!(message["type"], wanted, "{message}");
    message
}

/// The next frame that is no acknowledgement, for which time has passed.
async fn hear(client: &Client) -> String {
    loop {
        let text = client.hear_text().await;
        if !text.starts_with(r#"{"type":"ack""#) {
            return text;
        }
    }
}

async fn nothing_has_come(client: &Client) {
    client.say(r#"{"type":"ping"}"#);
    expect(client, "pong").await;
}
