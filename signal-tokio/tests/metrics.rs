//! What is counted, and the text that tells it.

mod memory;

use std::{collections::BTreeMap, time::Duration};

use memory::Client;
use serde_json::Value;
use signal_tokio::{Admission, CloseReason, Limits, Signaling, metrics};

/// A page as Prometheus reads it: values by name and labels, and which names are gauges.
struct Page {
    values: BTreeMap<String, f64>,
    gauges: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self { values: BTreeMap::new(), gauges: Vec::new() };
        for line in text.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').expect("a kind");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(!page.gauges.contains(&name.to_owned()), "{name} is there twice");
                if kind == "gauge" {
                    page.gauges.push(name.to_owned());
                }
            } else if !line.starts_with("# HELP ") {
                let (name, value) = line.rsplit_once(' ').expect("a value");
                let value = value.parse().expect("a number");
                assert!(page.values.insert(name.to_owned(), value).is_none(), "{name} is there twice");
            }
        }
        page
    }

    fn value(&self, name: &str) -> f64 {
        *self.values.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.values))
    }

    fn gauges(&self) -> impl Iterator<Item = (&String, &f64)> {
        let is_gauge = |name: &str| {
            self.gauges.iter().any(|gauge| name.split('{').next().is_some_and(|name| name == gauge))
        };
        self.values.iter().filter(move |(name, _)| is_gauge(name))
    }
}

fn page(signaling: &Signaling) -> Page {
    Page::read(&signaling.metrics())
}

/// Says hello; the answer is what came back.
async fn connect(signaling: &Signaling, hello: &'static str) -> (Client, Value) {
    let client = Client::with_capacity(64);
    tokio::spawn(signaling.serve(client.socket(), Admission::default()));
    client.say(hello);
    let welcome = hear(&client).await;
    (client, welcome)
}

async fn hear(client: &Client) -> Value {
    serde_json::from_str(&client.hear_text().await).expect("JSON")
}

async fn hear_type(client: &Client, name: &str) -> Value {
    loop {
        let message = hear(client).await;
        if message["type"] == name {
            return message;
        }
    }
}

const HELLO: &str = r#"{"type":"hello","version":1}"#;
const BYE: &str = r#"{"type":"bye"}"#;

#[tokio::test]
async fn all_gauges_are_back_at_zero_when_everybody_has_gone() {
    let limits = Limits { grace: Duration::ZERO, ..Limits::default() };
    let signaling = Signaling::builder().limits(limits).build().expect("it can work");
    let before = page(&signaling);
    assert!(before.gauges().count() >= 7, "{:?}", before.gauges);
    for round in 0..200 {
        let channel = &*format!(r#"{{"type":"join","id":1,"channel":"room {round}"}}"#).leak();
        let (ann, welcome) = connect(&signaling, HELLO).await;
        let (ben, _) = connect(&signaling, HELLO).await;
        for client in [&ann, &ben] {
            client.say(channel);
            hear_type(client, "joined").await;
            client.say(r#"{"type":"match","pool":"tea"}"#);
        }
        hear_type(&ann, "matched").await;
        hear_type(&ben, "matched").await;
        // One waits when everybody goes.
        ann.say(r#"{"type":"match","pool":"coffee"}"#);
        hear_type(&ann, "waiting").await;
        let now = page(&signaling);
        assert_eq!(now.value("signal_sessions{state=\"attached\"}"), 2.0);
        assert_eq!((now.value("signal_channels"), now.value("signal_members")), (2.0, 4.0));
        assert_eq!((now.value("signal_pools"), now.value("signal_waiting")), (1.0, 1.0));
        match round % 3 {
            0 => ann.say(BYE),
            1 => ann.hang_up(),
            _ => {
                let peer = welcome["peer_id"].as_str().and_then(|peer| peer.parse().ok()).expect("an id");
                assert!(signaling.kick(&peer));
            }
        }
        hear_type(&ben, "removePeer").await;
        ben.say(channel.replace("join", "part").leak());
        ben.say(BYE);
        assert_eq!(ben.hear_close().await, CloseReason::Bye);
        // The clients have closed their side, too.
        ann.hang_up();
        ben.hang_up();
    }
    signaling.drain(Duration::from_secs(30)).await;
    let after = page(&signaling);
    for (name, value) in after.gauges() {
        assert_eq!(*value, 0.0, "{name}");
    }
    assert_eq!(after.value("signal_joins_total"), 800.0);
    assert_eq!(after.value("signal_parts_total"), 800.0);
    assert_eq!(after.value("signal_matched_total"), 400.0);
    assert_eq!(after.value("signal_sessions_started_total"), 400.0);
    let ended = |reason: &str| after.value(&format!("signal_sessions_ended_total{{reason=\"{reason}\"}}"));
    assert_eq!((ended("bye"), ended("timeout"), ended("kicked")), (267.0, 67.0, 66.0));
}

#[tokio::test]
async fn what_peers_do_is_counted_under_labels_that_are_known_beforehand() {
    let signaling = Signaling::builder().build().expect("it can work");
    let (ann, welcome) = connect(&signaling, HELLO).await;
    let (ben, _) = connect(&signaling, HELLO).await;
    let name = r#"{"type":"join","id":1,"channel":"signal_evil{code=\"x\"} 1"}"#;
    for client in [&ann, &ben] {
        client.say(name);
        hear_type(client, "joined").await;
    }
    let ben_id = hear_type(&ann, "addPeer").await["peer_id"].as_str().expect("an id").to_owned();
    let to_ben = |rest: &str| &*format!(r#"{{"peer_id":"{ben_id}",{rest}}}"#).leak();
    ann.say(to_ben(r#""type":"relaySessionDescription","session_description":{"type":"offer","sdp":"v=0"}"#));
    for _ in 0..3 {
        ann.say(to_ben(r#""type":"relayICECandidate","ice_candidate":{"candidate":"c"}"#));
    }
    ann.say(to_ben(r#""type":"send","data":1"#));
    hear_type(&ben, "message").await;
    ann.say(r#"{"type":"send","id":2,"peer_id":"nobody","data":1}"#);
    ann.say(r#"{"type":"dance"}"#);
    ann.say(r#"{"type":"part","id":3,"channel":"not there"}"#);
    hear_type(&ann, "parted").await;
    // Its session waits for another socket.
    ann.hang_up();
    while page(&signaling).value("signal_sessions{state=\"detached\"}") == 0.0 {
        tokio::task::yield_now().await;
    }
    let token = welcome["resume"]["token"].as_str().expect("a token");
    let resume = |token: &str, received: u64| {
        let resume = format!(r#""resume":{{"token":"{token}","received":{received}}}"#);
        &*format!(r#"{{"type":"hello","version":1,{resume}}}"#).leak()
    };
    let (_cy, fresh) = connect(&signaling, resume("forged", 0)).await;
    assert_eq!(fresh["resumed"], false);
    let (_ann, back) = connect(&signaling, resume(token, 4)).await;
    assert_eq!(back["resumed"], true, "{back}");
    // It cannot have received so much: the session is over.
    let (_dan, fresh) = connect(&signaling, resume(token, 1_000)).await;
    assert_eq!(fresh["resumed"], false);

    let text = signaling.metrics();
    assert!(!text.contains("evil") && !text.contains(&ben_id) && !text.contains("127.0.0.1"), "{text}");
    let page = Page::read(&text);
    for (name, value) in [
        (r#"signal_relays_total{kind="description"}"#, 1.0),
        (r#"signal_relays_total{kind="candidate"}"#, 3.0),
        (r#"signal_relays_total{kind="data"}"#, 1.0),
        (r#"signal_relays_total{kind="published"}"#, 0.0),
        (r#"signal_errors_total{code="unknown_peer"}"#, 1.0),
        (r#"signal_errors_total{code="unknown_type"}"#, 1.0),
        (r#"signal_errors_total{code="channel_full"}"#, 0.0),
        (r#"signal_resumes_total{outcome="unknown"}"#, 1.0),
        (r#"signal_resumes_total{outcome="resumed"}"#, 1.0),
        (r#"signal_resumes_total{outcome="impossible_count"}"#, 1.0),
        (r#"signal_resumes_total{outcome="wrong_identity"}"#, 0.0),
        (r#"signal_closes_total{reason="lost"}"#, 1.0),
        (r#"signal_sessions{state="attached"}"#, 3.0),
        ("signal_sockets_accepted_total", 5.0),
        ("signal_joins_total", 2.0),
    ] {
        assert_eq!(page.value(name), value, "{name}");
    }
    // Of each kind the first is looked at.
    for name in ["signal_outbox_depth_count", "signal_encode_seconds_count", "signal_relay_seconds_count"] {
        assert!(page.value(name) >= 1.0, "{name}");
    }
}

#[tokio::test]
async fn several_servers_share_a_page() {
    let servers = [(); 2].map(|()| Signaling::builder().build().expect("it can work"));
    let _ann = connect(&servers[1], HELLO).await;
    let page = Page::read(&metrics([("one", &servers[0]), ("two", &servers[1])]));
    assert_eq!(page.value(r#"signal_sessions{server="one",state="attached"}"#), 0.0);
    assert_eq!(page.value(r#"signal_sessions{server="two",state="attached"}"#), 1.0);
    assert_eq!(page.value(r#"signal_sockets_open{server="two"}"#), 1.0);
}
