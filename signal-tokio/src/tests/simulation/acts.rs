//! What clients do.

use std::borrow::Cow;

use signal_core::{ClientMessage, EndReason, OwnedPayload};
use tokio::time::{sleep, timeout};

use super::{
    client::{Client, Line},
    plan::{CHANNELS, POOL},
    session::encode,
    socket::{ClientEnd, Heard},
    view::Asked,
};
use crate::tests::dice::Dice;

/// More a client does not keep; it says nothing until the server has acknowledged some.
const MOST_KEPT: usize = 60;

impl Client {
    pub(super) fn act(&mut self) {
        let is_full = self.with_session(|session| session.kept.len() >= MOST_KEPT);
        let Some(false) = is_full else { return };
        match self.dice.below(100) {
            0..20 => self.join(),
            20..27 => {
                let channel = self.own_channel();
                self.ask(
                    ClientMessage::Part { channel: Cow::Borrowed(&channel) },
                    Asked::Part(channel.clone()),
                );
            }
            27..45 => self.speak(),
            45..70 => self.tell(),
            70..76 => {
                let (channel, userdata) = (self.own_channel(), self.userdata());
                let message = ClientMessage::SetUserdata {
                    channel: Cow::Borrowed(&channel),
                    userdata: userdata.as_payload(),
                };
                self.ask(message, Asked::Set(channel.clone()));
            }
            76..81 => self.search(),
            81..83 => self.ask(ClientMessage::CancelMatch { pool: Cow::Borrowed(POOL) }, Asked::Cancel),
            83..85 => {
                let text = self.with_session(|session| session.babble());
                self.say_if_open(text);
            }
            85..86 => {
                if let Line::Open { end } = &self.line {
                    end.say_binary();
                }
            }
            86..90 => self.lose(),
            90..92 => self.bye(),
            92..94 => {
                // The page is loaded again, and its socket is lost with it, or has not been closed yet.
                let is_left = self.dice.percent(50);
                if is_left {
                    self.leave_socket()
                } else {
                    self.lose()
                }
                self.forget_session();
            }
            94..95 => {
                self.is_deluded = true;
                self.lose();
            }
            95..97 => self.leave_socket(),
            _ => self.probe(),
        }
    }

    pub(super) fn ask(&self, message: ClientMessage<'_>, asked: Asked) {
        self.say_if_open(self.with_session(|session| session.ask(message, asked)));
    }

    /// What is counted waits for `welcome`.
    fn say_if_open(&self, text: Option<String>) {
        if let (Some(text), Line::Open { .. }) = (text, &self.line) {
            self.say(text);
        }
    }

    fn join(&mut self) {
        let channel = self.dice.pick(&CHANNELS).to_owned();
        let userdata = self.dice.percent(50).then(|| self.userdata());
        let message = ClientMessage::Join {
            channel: Cow::Borrowed(&channel),
            userdata: userdata.as_ref().map(OwnedPayload::as_payload),
            seat: None,
        };
        self.ask(message, Asked::Join(channel.clone()));
    }

    fn speak(&mut self) {
        let channel = self.own_channel();
        let data = self.tag();
        let message = ClientMessage::SendToChannel {
            channel: Cow::Borrowed(&channel),
            data: data.as_payload(),
            echo: false,
        };
        self.ask(message, Asked::Say(channel.clone()));
    }

    /// Something for one peer, whom the client knows or not.
    fn tell(&mut self) {
        let peer = self.some_peer();
        let own =
            self.with_session(|session| session.view.connection_ids(&peer).first().map(ToString::to_string));
        let connection_id = own.flatten().filter(|_| self.dice.percent(70));
        let (tag, id) = (self.tag(), connection_id.as_deref().map(Cow::Borrowed));
        let peer_id = Cow::Borrowed(peer.as_str());
        let quoted =
            |prefix: &str| OwnedPayload::from_json(&format!("{prefix}\"{}\"}}", &*tag)).expect("JSON");
        match self.dice.below(3) {
            0 => {
                let message = ClientMessage::SendToPeer { peer_id, data: tag.as_payload() };
                self.ask(message, Asked::Tell(peer.clone(), None));
            }
            1 => {
                let offer = quoted(r#"{"type":"offer","sdp":"#);
                let message = ClientMessage::RelaySessionDescription {
                    peer_id,
                    session_description: offer.as_payload(),
                    connection_id: id,
                    attempt: None,
                };
                self.ask(message, Asked::Tell(peer.clone(), connection_id.clone()));
            }
            _ => {
                let candidate = quoted(r#"{"candidate":"#);
                let message = ClientMessage::RelayIceCandidate {
                    peer_id,
                    ice_candidate: candidate.as_payload(),
                    connection_id: id,
                    attempt: None,
                };
                self.ask(message, Asked::Tell(peer.clone(), connection_id.clone()));
            }
        }
    }

    fn search(&mut self) {
        let met = self
            .with_session(|session| session.view.channels.keys().find(|name| name.starts_with('~')).cloned());
        let leave = met.flatten().filter(|_| self.dice.percent(60));
        let message = ClientMessage::Match {
            pool: Cow::Borrowed(POOL),
            userdata: None,
            leave: leave.as_deref().map(Cow::Borrowed),
        };
        self.ask(message, Asked::Match);
    }

    /// The client goes on with another socket, while the one before has not been closed.
    fn leave_socket(&mut self) {
        let line = std::mem::replace(&mut self.line, Line::Gone);
        self.lose();
        if let Line::Greeting { end, .. } | Line::Open { end } = line {
            let pause = self.dice.millis(0, 6_000);
            tokio::spawn(async move {
                sleep(pause).await;
                drop(end);
            });
        }
    }

    /// Ends the session. The next one is another.
    pub(super) fn bye(&mut self) {
        let Line::Open { end } = &self.line else { return };
        let Some(number) = self.session.take() else { return };
        {
            let mut book = self.stage.book();
            let book = &mut *book;
            book.sessions[number].is_over = true;
            book.desk.allow(&book.sessions[number].peer, EndReason::Bye);
        }
        if self.dice.percent(70) {
            self.say(encode(None, ClientMessage::Bye));
        } else {
            end.go_away();
        }
        self.lose();
    }

    /// The run is over.
    pub(super) fn leave(&mut self) {
        if self.dice.percent(50) {
            self.bye();
        }
        self.line = Line::Gone;
    }

    /// Somebody shows a token that does not give a session: an old one, or that of somebody else.
    fn probe(&mut self) {
        let token = self.with_session(|session| {
            let is_stolen = self.number % 2 == 1;
            let age = if is_stolen { 1 } else { 3 };
            let token = session.tokens.len().checked_sub(age).map(|index| session.tokens[index].clone());
            token.map(|token| (token, session.life))
        });
        let Some((token, life)) = token.flatten() else { return };
        let identity = (self.number % 2 == 1).then_some("mallory");
        let Some((end, now)) = self.stage.dial(usize::MAX, identity, &mut self.dice) else { return };
        if now == life {
            end.say(format!(r#"{{"type":"hello","version":1,"resume":{{"token":"{token}","received":0}}}}"#));
            let stage = std::sync::Arc::clone(&self.stage);
            let answered = timeout(std::time::Duration::from_secs(8), async move {
                if let Some(peer) = welcomed_anew(&end).await {
                    stage.book().desk.allow(&peer, EndReason::Bye);
                    end.say(encode(None, ClientMessage::Bye));
                    sleep(std::time::Duration::from_secs(2)).await;
                }
            });
            if let Some(server) = &mut *self.stage.server() {
                server.tasks.spawn(async { answered.await.unwrap_or_default() });
            }
        }
    }

    fn tag(&self) -> OwnedPayload {
        let tag = self.with_session(|session| session.tag());
        OwnedPayload::from_json(&tag.expect("it has a session")).expect("JSON")
    }

    fn userdata(&mut self) -> OwnedPayload {
        OwnedPayload::from_json(&self.dice.below(1_000).to_string()).expect("JSON")
    }

    /// One of its channels, most times.
    fn own_channel(&mut self) -> String {
        let own = self.with_session(|session| session.view.channels.keys().cloned().collect::<Vec<_>>());
        pick(&mut self.dice, own.unwrap_or_default(), 90)
            .unwrap_or_else(|| self.dice.pick(&CHANNELS).to_owned())
    }

    /// Somebody whom it knows, most times.
    fn some_peer(&mut self) -> String {
        let known = self.with_session(|session| {
            session.view.known().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        let all = self.stage.book().sessions.iter().map(|session| session.peer.clone()).collect();
        let known = pick(&mut self.dice, known.unwrap_or_default(), 90);
        known.or_else(|| pick(&mut self.dice, all, 100)).unwrap_or_default()
    }
}

fn pick(dice: &mut Dice, from: Vec<String>, chance: u64) -> Option<String> {
    let index = dice.below(from.len().max(1) as u64) as usize;
    from.into_iter().nth(index).filter(|_| dice.percent(chance))
}

/// Reads `welcome`, which must be to a new session, and says whose it is.
async fn welcomed_anew(end: &ClientEnd) -> Option<String> {
    loop {
        match end.hear().await {
            Heard::Text(text) if text.starts_with(r#"{"type":"welcome""#) => {
                assert!(
                    text.contains(r#""resumed":false"#),
                    "a token gives a session that it must not: {text}"
                );
                return text.split('"').nth(7).map(ToOwned::to_owned);
            }
            Heard::Text(_) | Heard::Nothing => {}
            Heard::Closed(_) => return None,
        }
    }
}
