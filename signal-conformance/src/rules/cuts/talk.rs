//! One of two who talk while their sockets are cut.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::{
    client::type_of,
    cut::Cut,
    dice::Dice,
    proxy::Proxy,
    server::Server,
    session::{Session, number_after},
};

/// Most that are said before anything of the other has been heard, so that the outbox has room for all of them.
const WINDOW: usize = 32;

/// How long what is carried is at most: a candidate, and the SDP of a call with some tracks.
const SHORT: usize = 150;
const LONGEST: usize = 4 << 10;

/// What the two have in common.
pub(super) struct Plan {
    pub(super) seed: u64,
    /// Of the sockets of each.
    pub(super) cuts: usize,
    pub(super) done: Arc<Mutex<Vec<Cut>>>,
}

pub(super) struct Talker<'a> {
    plan: &'a Plan,
    dice: Dice,
    session: Session<'a>,
    other: String,
    said: u64,
    heard: u64,
    /// What is to be answered, in this order.
    asked: VecDeque<u64>,
    has_said_all: bool,
    has_heard_all: bool,
}

impl<'a> Talker<'a> {
    pub(super) async fn come(server: &'a Server, plan: &'a Plan, number: u64) -> Self {
        let mut dice = Dice::new(2 * plan.seed + number);
        // A session that its client has never heard of would stay for the grace time.
        let first = Cut::draw_after_greeting(&mut dice);
        let cuts = std::iter::once(first).chain((1..plan.cuts).map(|_| Cut::draw(&mut dice))).collect();
        let proxy = Proxy::new(server.address, cuts, Arc::clone(&plan.done)).await;
        Self {
            plan,
            dice,
            session: Session::open(server, proxy).await,
            other: String::new(),
            said: 0,
            heard: 0,
            asked: VecDeque::new(),
            has_said_all: false,
            has_heard_all: false,
        }
    }

    /// Both join the same channel.
    pub(super) async fn meet(&mut self, other: &mut Self) {
        self.session.say(JOIN.to_owned()).await;
        self.expect("joined").await;
        other.session.say(JOIN.to_owned()).await;
        other.expect("joined").await;
        (self.other, other.other) = (other.session.peer().to_owned(), self.session.peer().to_owned());
        for one in [self, other] {
            assert_eq!(one.expect("addPeer").await["peer_id"], one.other);
        }
    }

    /// Talks until all cuts have been made and all has been said and heard. How many messages those were.
    pub(super) async fn talk(&mut self) -> (u64, u64) {
        while !self.is_over() {
            let window = 1 + self.dice.roll(WINDOW) as u64;
            let may_say = self.has_heard_all || self.said < self.heard + window;
            if may_say && !self.has_said_all {
                self.say().await;
            } else {
                self.hear().await;
            }
            // As if it had been a second since the last time.
            if self.dice.roll(16) == 0 {
                self.session.acknowledge().await;
            }
        }
        (self.said, self.heard)
    }

    fn is_over(&self) -> bool {
        self.has_said_all && self.has_heard_all && self.asked.is_empty()
    }

    async fn say(&mut self) {
        let peer = &self.other;
        if self.plan.done.lock().unwrap().len() == 2 * self.plan.cuts {
            self.has_said_all = true;
            self.session.say(format!(r#"{{"type":"send","peer_id":"{peer}","data":"all"}}"#)).await;
            return;
        }
        self.said += 1;
        let number = self.said;
        let mut id = String::new();
        if number.is_multiple_of(4) {
            self.asked.push_back(number);
            id = format!(r#""id":{number},"#);
        }
        let [request, _, key] = kind(number);
        let value = value(number);
        self.session.say(format!(r#"{{"type":"{request}",{id}"peer_id":"{peer}","{key}":{value}}}"#)).await;
    }

    async fn hear(&mut self) {
        let text = self.session.hear().await;
        let sender = format!(r#""peer_id":"{}""#, self.other);
        match type_of(&text).as_str() {
            "ok" => assert_eq!(Some(number_after(&text, "id")), self.asked.pop_front(), "an answer"),
            "message" if text.ends_with(r#""data":"all"}"#) => {
                assert!(!self.has_heard_all, "the end comes twice");
                self.has_heard_all = true;
            }
            "message" | "sessionDescription" | "iceCandidate" => {
                self.heard += 1;
                assert_eq!(number_after(&text, "number"), self.heard, "lost, doubled or out of order");
                let [_, answer, key] = kind(self.heard);
                let value = value(self.heard);
                let is_whole = type_of(&text) == answer
                    && text.contains(&sender)
                    && text.contains(&format!(r#","{key}":{value}"#));
                assert!(is_whole && !self.has_heard_all, "number {} was said otherwise: {text}", self.heard);
            }
            _ => panic!("nobody should have noticed anything: {text}"),
        }
    }

    /// The next message must be of this type.
    pub(super) async fn expect(&mut self, wanted: &str) -> Value {
        let text = self.session.hear().await;
        assert_eq!(type_of(&text), wanted, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Goes, and has heard nothing else.
    pub(super) async fn bye(mut self) {
        self.session.say(r#"{"type":"part","channel":"elsewhere"}"#.to_owned()).await;
        self.expect("parted").await;
        self.session.bye().await;
    }
}

const JOIN: &str = r#"{"type":"join","channel":"room"}"#;

/// The type of a message of this number when it is said and when it is heard, and the key of what it carries.
fn kind(number: u64) -> [&'static str; 3] {
    match number % 5 {
        0 => ["relaySessionDescription", "sessionDescription", "session_description"],
        1 | 2 => ["relayICECandidate", "iceCandidate", "ice_candidate"],
        _ => ["send", "message", "data"],
    }
}

/// What it carries. One byte too few or too many would be seen.
fn value(number: u64) -> String {
    let mut dice = Dice::new(number);
    // Most are short, and candidates always.
    let is_short = matches!(number % 5, 1 | 2) || dice.roll(4) > 0;
    let most = if is_short { SHORT } else { LONGEST };
    let words: String = (0..dice.roll(most) / 4).map(|index| format!("{:03x} ", index & 0xfff)).collect();
    match number % 5 {
        0 => format!(r#"{{"type":"offer","number":{number},"sdp":"{words}"}}"#),
        1 | 2 => format!(r#"{{"candidate":"{words}","number":{number}}}"#),
        _ => format!(r#"{{"number":{number},"words":"{words}"}}"#),
    }
}
