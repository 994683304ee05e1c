//! A client that looks for company, and checks what it is told of it.

use std::{mem, sync::Arc};

use serde_json::Value;

use crate::{
    client::{Client, Heard},
    dice::Dice,
    server::Server,
};

/// Somebody who does what dice say. It waits for the answer to everything that it asks for, and is then in one pool at
/// most.
pub(crate) struct Stranger {
    server: Arc<Server>,
    /// In how many pools it looks for others. Their names are the numbers from 0.
    pools: usize,
    dice: Dice,
    client: Client,
    /// Counted frames of this side in this session. The last one's number is its `id`.
    said: u64,
    /// Whether the last one has no answer yet.
    asked: bool,
    /// Where it has been told that it waits.
    pub(crate) waits: Option<String>,
    /// The channels of matches that it is in.
    pub(crate) rooms: Vec<String>,
    next: Next,
    pub(crate) meetings: Vec<Meeting>,
    /// Those of its sessions that it has left without having read everything.
    pub(crate) vanished: Vec<String>,
    /// Of whom it has been told that they have vanished.
    pub(crate) missed: Vec<String>,
}

/// A match, as one of the two was told of it.
#[derive(Debug)]
pub(crate) struct Meeting {
    pub(crate) channel: String,
    pub(crate) own: String,
    pub(crate) other: String,
    pub(crate) connection: String,
    pub(crate) offers: bool,
}

/// What the next message has to be.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Anything,
    /// `joined`, of this channel.
    Joined(String),
    /// The only `addPeer` of this channel.
    Introduction(String),
}

impl Stranger {
    pub(crate) async fn come(server: Arc<Server>, pools: usize, number: u64) -> Self {
        let client = server.client().await;
        Self {
            server,
            pools,
            dice: Dice::new(number),
            client,
            said: 0,
            asked: false,
            waits: None,
            rooms: Vec::new(),
            next: Next::Anything,
            meetings: Vec::new(),
            vanished: Vec::new(),
            missed: Vec::new(),
        }
    }

    pub(crate) fn peer(&self) -> &str {
        &self.client.peer
    }

    /// Does one thing.
    pub(crate) async fn do_anything(&mut self) {
        match (self.dice.roll(10), self.waits.clone(), self.rooms.last().cloned()) {
            (0..3, Some(pool), _) => self.ask(&format!(r#""type":"cancelMatch","pool":"{pool}""#)).await,
            (3..5, Some(pool), _) => self.ask(&format!(r#""type":"match","pool":"{pool}""#)).await,
            (5, Some(_), _) => self.change_socket().await,
            (6..8, Some(_), _) => self.lose_socket().await,
            (0..2, None, Some(room)) => self.ask(&format!(r#""type":"part","channel":"{room}""#)).await,
            (0..8, _, _) => self.search().await,
            (8, _, _) => {
                self.say_bye().await;
                let client = self.server.client().await;
                self.begin(client);
            }
            (_, _, _) => self.vanish().await,
        }
    }

    /// Waits for somebody, and for somebody else if it has met one. Who waits already goes on.
    pub(crate) async fn search(&mut self) {
        if self.waits.is_none() {
            let pool = self.dice.roll(self.pools);
            let leave = self.rooms.last().map(|room| format!(r#","leave":"{room}""#)).unwrap_or_default();
            self.ask(&format!(r#""type":"match","pool":"{pool}"{leave}"#)).await;
        }
    }

    /// Reads everything that is there.
    pub(crate) async fn catch_up(&mut self) {
        self.ask(r#""type":"part","channel":"elsewhere""#).await;
    }

    async fn ask(&mut self, request: &str) {
        self.said += 1;
        self.asked = true;
        self.client.say(format!(r#"{{{request},"id":{}}}"#, self.said)).await;
        while self.asked {
            self.hear().await;
        }
        self.client.acknowledge().await;
    }

    /// Goes to another socket. The server hears of the end of the first one before or after.
    async fn change_socket(&mut self) {
        let (token, received) = (self.client.token.clone(), self.client.received);
        let socket = self.server.socket().await;
        let left = mem::replace(&mut self.client, socket);
        drop(left);
        self.resume(&token, received).await;
    }

    /// Comes back only when the server knows that the socket is lost. Then it waits no longer, and has met nobody since.
    async fn lose_socket(&mut self) {
        let (token, received) = (self.client.token.clone(), self.client.received);
        self.client.close().await;
        let rooms = self.server.channels_of(self.peer());
        self.client = self.server.socket().await;
        self.resume(&token, received).await;
        while self.waits.is_some() {
            self.hear().await;
        }
        assert!(self.rooms.iter().all(|room| rooms.contains(room)), "{:?}, not {rooms:?}", self.rooms);
    }

    async fn resume(&mut self, token: &str, received: u64) {
        let welcome = self.client.resume(token, received).await;
        assert_eq!((&welcome["resumed"], &welcome["received"]), (&true.into(), &self.said.into()));
    }

    /// Ends the session when it has heard everything.
    pub(crate) async fn say_bye(&mut self) {
        self.client.say(r#"{"type":"bye"}"#).await;
        let (texts, closed) = self.client.hear_last().await;
        assert_eq!(closed, Heard::Closed(1000, "bye".to_owned()));
        for text in texts {
            self.take_in(&text);
        }
        assert_eq!(self.next, Next::Anything);
    }

    /// Is lost, and never reads what it has not read. It comes again as somebody else, as a reloaded page does.
    async fn vanish(&mut self) {
        self.vanished.push(self.peer().to_owned());
        self.client.close().await;
        let hello = format!(r#"{{"type":"hello","version":1,"replaces":"{}"}}"#, self.client.token);
        let client = self.server.welcomed(&hello).await;
        self.begin(client);
    }

    fn begin(&mut self, client: Client) {
        assert_ne!(self.peer(), client.peer);
        self.client = client;
        self.said = 0;
        self.waits = None;
        self.rooms.clear();
        self.next = Next::Anything;
    }

    /// Waits for the next message.
    pub(crate) async fn hear(&mut self) {
        let text = self.client.hear_text().await;
        self.take_in(&text);
    }

    fn take_in(&mut self, text: &str) {
        let message: Value = serde_json::from_str(text).unwrap();
        let word =
            |key: &str| message[key].as_str().unwrap_or_else(|| panic!("no {key} in {text}")).to_owned();
        match (mem::replace(&mut self.next, Next::Anything), word("type").as_str()) {
            (Next::Joined(channel), "joined") => {
                assert_eq!((&channel, &message["peers"]), (&word("channel"), &1.into()));
                self.next = Next::Introduction(channel);
            }
            (Next::Introduction(channel), "addPeer") => {
                assert_eq!(channel, word("channel"));
                self.meetings.push(Meeting {
                    channel,
                    own: self.peer().to_owned(),
                    other: word("peer_id"),
                    connection: word("connection_id"),
                    offers: message["should_create_offer"] == true,
                });
            }
            (Next::Anything, "waiting") => {
                if self.is_answer(&message) {
                    self.waits = Some(word("pool"));
                }
                assert_eq!(self.waits, Some(word("pool")), "{text}");
            }
            (Next::Anything, "matched") => {
                // Each request makes one match at most: when it is answered, or when the waiting is over.
                let has_waited = self.waits.take_if(|pool| *pool == word("pool")).is_some();
                assert!(self.is_answer(&message) || has_waited, "not asked for: {text}");
                self.rooms.push(word("channel"));
                self.next = Next::Joined(word("channel"));
            }
            (Next::Anything, "matchEnded") => {
                assert_eq!((self.waits.take(), word("reason")), (Some(word("pool")), "detached".to_owned()));
            }
            (Next::Anything, "ok") => {
                assert!(self.is_answer(&message), "{text}");
                self.waits = None;
            }
            (Next::Anything, "parted") => {
                self.is_answer(&message);
                self.rooms.retain(|room| *room != word("channel"));
            }
            (Next::Anything, "removePeer") => {
                let is_known = |meeting: &Meeting| {
                    (&meeting.channel, &meeting.other) == (&word("channel"), &word("peer_id"))
                };
                assert!(self.meetings.iter().any(is_known), "{text}");
                match word("reason").as_str() {
                    "parted" | "bye" => {}
                    "replaced" => self.missed.push(word("peer_id")),
                    _ => panic!("nobody goes like this: {text}"),
                }
            }
            (next, _) => panic!("{next:?} is expected, not {text}"),
        }
    }

    /// Whether it answers what was asked for last. It must not answer anything else.
    fn is_answer(&mut self, message: &Value) -> bool {
        let Some(id) = message.get("id") else { return false };
        assert!(self.asked && *id == self.said, "{message}");
        self.asked = false;
        true
    }
}
