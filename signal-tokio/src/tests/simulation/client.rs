//! A client that keeps to `docs/protocol.md`, and has little luck with its sockets.

use std::{borrow::Cow, sync::Arc, time::Duration};

use signal_core::{ClientMessage, CloseReason, EndReason, Hello, Resume, ServerMessage, codec};
use tokio::{
    select,
    time::{Instant, sleep_until},
};

use super::{
    session::{Session, encode},
    socket::{ClientEnd, Heard},
    stage::{Stage, TIMING},
};
use crate::tests::dice::Dice;

/// How long a client waits for `welcome`, and for a sign of life that it has asked for.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Client {
    pub(super) stage: Arc<Stage>,
    pub(super) number: usize,
    pub(super) dice: Dice,
    pub(super) line: Line,
    /// The number of its session in the book.
    pub(super) session: Option<usize>,
    /// The peer id and the token of a session that it has left behind.
    pub(super) replaces: Option<(String, String)>,
    /// It claims to have received what was never sent.
    pub(super) is_deluded: bool,
    pub(super) tries: u32,
    last_heard: Instant,
    pinged_at: Option<Instant>,
    pub(super) acknowledge_at: Option<Instant>,
    acts_at: Instant,
    comes_back_after: Duration,
}

/// Where a client is with its socket.
pub(super) enum Line {
    Away {
        until: Instant,
    },
    /// It has said `hello` in this life of the server.
    Greeting {
        end: ClientEnd,
        life: u32,
        until: Instant,
    },
    Open {
        end: ClientEnd,
    },
    Gone,
}

impl Client {
    pub(super) fn new(stage: Arc<Stage>, number: usize, mut dice: Dice) -> Self {
        let now = Instant::now();
        Self {
            stage,
            number,
            line: Line::Away { until: now + dice.millis(0, 2_000) },
            session: None,
            replaces: None,
            is_deluded: false,
            tries: 0,
            last_heard: now,
            pinged_at: None,
            acknowledge_at: None,
            acts_at: now,
            comes_back_after: Duration::ZERO,
            dice,
        }
    }

    pub(super) async fn live(mut self) {
        loop {
            let wakes_at = self.wakes_at();
            let heard = match &self.line {
                Line::Gone => return,
                Line::Away { .. } => {
                    sleep_until(wakes_at).await;
                    None
                }
                Line::Greeting { end, .. } | Line::Open { end } => select! {
                    biased;
                    heard = end.hear() => Some(heard),
                    () = sleep_until(wakes_at) => None,
                },
            };
            match heard {
                Some(Heard::Text(text)) => {
                    self.stage.note(self.number, "<", &text);
                    (self.last_heard, self.pinged_at) = (Instant::now(), None);
                    self.hear(&text);
                }
                Some(Heard::Nothing) => {}
                Some(Heard::Closed(reason)) => self.closed(reason),
                None => self.look_at_the_clock(),
            }
        }
    }

    /// What is next of all that the clock brings.
    fn wakes_at(&self) -> Instant {
        let leaves = self.stage.leave_at;
        let acts_at = if self.acts_at < self.stage.quiet_at { self.acts_at } else { leaves };
        match &self.line {
            Line::Gone => leaves,
            Line::Away { until } => acts_at.min(*until).min(leaves),
            Line::Greeting { until, .. } => acts_at.min(*until).min(leaves),
            Line::Open { .. } => {
                let silence = match self.pinged_at {
                    Some(pinged_at) => pinged_at + PATIENCE,
                    None => self.last_heard + TIMING.heartbeat.mul_f64(1.25),
                };
                let ack = self.acknowledge_at.unwrap_or(leaves);
                acts_at.min(silence).min(ack).min(leaves)
            }
        }
    }

    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        if now >= self.stage.leave_at {
            return self.leave();
        }
        if self.acts_at <= now {
            self.acts_at = now + self.dice.millis(20, self.stage.plan.pause);
            if now < self.stage.quiet_at {
                self.act();
            }
        }
        match &self.line {
            Line::Away { until } if *until <= now => self.connect(),
            // What was said may still arrive.
            Line::Greeting { until, .. } if *until <= now => self.lose(),
            Line::Open { .. } => {
                if self.acknowledge_at.is_some_and(|due| due <= now) {
                    self.acknowledge();
                }
                match self.pinged_at {
                    Some(pinged_at) if pinged_at + PATIENCE <= now => self.lose(),
                    None if self.last_heard + TIMING.heartbeat.mul_f64(1.25) <= now => {
                        self.pinged_at = Some(now);
                        self.say(encode(None, ClientMessage::Ping));
                    }
                    Some(_) | None => {}
                }
            }
            Line::Away { .. } | Line::Greeting { .. } | Line::Gone => {}
        }
    }

    pub(super) fn connect(&mut self) {
        let identity = (self.number % 2 == 1).then(|| format!("client {}", self.number));
        let Some((end, life)) = self.stage.dial(self.number, identity.as_deref(), &mut self.dice) else {
            return self.lose();
        };
        let hello = self.hello();
        self.line = Line::Greeting { end, life, until: Instant::now() + PATIENCE };
        self.say(hello);
    }

    /// Asks for the session back, or for a new one.
    fn hello(&self) -> String {
        let mut book = self.stage.book();
        let book = &mut *book;
        let session = self.session.map(|number| &book.sessions[number]);
        let resume = session.map(|session| {
            let received = session.received + if self.is_deluded { 1_000 } else { 0 };
            if self.is_deluded {
                book.desk.allow(&session.peer, EndReason::Replaced);
            }
            Resume { token: Cow::Borrowed(session.tokens.last().expect("a session has one")), received }
        });
        let replaces = self.replaces.as_ref().filter(|_| resume.is_none()).map(|(peer, token)| {
            book.desk.replace(peer);
            Cow::Borrowed(token.as_str())
        });
        encode(None, ClientMessage::Hello(Hello { version: 1, token: None, resume, replaces }))
    }

    pub(super) fn say(&self, text: String) {
        if let Line::Open { end } | Line::Greeting { end, .. } = &self.line {
            self.stage.note(self.number, ">", &text);
            end.say(text);
        }
    }

    /// Changes the session, if there is one.
    pub(super) fn with_session<T>(&self, change: impl FnOnce(&mut Session) -> T) -> Option<T> {
        Some(change(&mut self.stage.book().sessions[self.session?]))
    }

    fn hear(&mut self, text: &str) {
        let frame = codec::decode_server(text).expect("the server says what it shall");
        let message = frame.message().expect("the server says what it shall");
        match (&message, &self.line) {
            (ServerMessage::Welcome { .. }, Line::Greeting { life, .. }) => self.welcomed(&message, *life),
            // The policy could not decide; the socket is closed next.
            (ServerMessage::Error { .. }, Line::Greeting { .. }) => {}
            (_, Line::Greeting { .. }) => panic!("before welcome: {text}"),
            (ServerMessage::Welcome { .. }, _) => panic!("one welcome for each socket: {text}"),
            (ServerMessage::Ack { received }, _) => {
                self.with_session(|session| session.acknowledged(*received));
            }
            (ServerMessage::Closing { reconnect_after }, _) => self.comes_back_after = *reconnect_after,
            (ServerMessage::Pong, _) => {}
            _ => {
                if let ServerMessage::RemovePeer { channel, peer_id, reason } = &message {
                    self.check_that_it_is_gone(channel, peer_id, *reason);
                }
                let log_is_slow = self.stage.plan.log_is_slow;
                let is_due = self.with_session(|session| session.hear(&frame, log_is_slow));
                if is_due == Some(true) {
                    self.acknowledge();
                } else {
                    let due = Instant::now() + TIMING.acknowledge;
                    self.acknowledge_at.get_or_insert(due);
                }
            }
        }
    }

    pub(super) fn acknowledge(&mut self) {
        self.acknowledge_at = None;
        if let Some(ack) = self.with_session(Session::ack) {
            self.say(ack);
        }
    }

    /// The socket is lost. It may have been the server that closed it.
    fn closed(&mut self, reason: Option<CloseReason>) {
        self.stage.note(self.number, "closed", &format!("{reason:?}"));
        match reason {
            None
            | Some(
                CloseReason::Slow
                | CloseReason::Heartbeat
                | CloseReason::Draining
                | CloseReason::HelloTimeout,
            ) => {}
            // It has ended, which the client tries all the same.
            Some(CloseReason::Kicked | CloseReason::Overflow) => {
                self.with_session(|session| session.is_over = true);
            }
            // A page stops then; somebody loads it again.
            Some(CloseReason::Replaced) => self.forget_session(),
            Some(CloseReason::Bye) => panic!("it has not said bye"),
            Some(
                CloseReason::Protocol
                | CloseReason::TooLarge
                | CloseReason::Unauthorized
                | CloseReason::UnsupportedVersion
                | CloseReason::Rate,
            ) => panic!("a correct client is closed: {reason:?}"),
        }
        self.lose();
    }

    /// Lets go of the socket, and comes back after a while.
    pub(super) fn lose(&mut self) {
        let most = (500 << self.tries.min(4)).min(2_000);
        self.tries += 1;
        let pause = std::mem::take(&mut self.comes_back_after) + self.dice.millis(0, most);
        self.line = Line::Away { until: Instant::now() + pause };
        self.pinged_at = None;
    }

    /// The page is loaded again: it knows nothing of its session but the token.
    pub(super) fn forget_session(&mut self) {
        let Some(number) = self.session.take() else { return };
        let session = &mut self.stage.book().sessions[number];
        session.is_over = true;
        self.replaces = session.tokens.last().map(|token| (session.peer.clone(), token.clone()));
    }

    /// Nobody is removed who is still there, whatever its sockets do.
    fn check_that_it_is_gone(&self, channel: &str, peer: &str, reason: EndReason) {
        // A slow log may match somebody who has lost its socket meanwhile.
        let is_of_match = self.stage.plan.log_is_slow && channel.starts_with('~');
        let has_left = matches!(reason, EndReason::Parted | EndReason::Kicked);
        let life = self.with_session(|session| session.life);
        let signaling = self.stage.signaling().filter(|_| life == Some(self.stage.book().desk.life));
        if let Some(signaling) = signaling.filter(|_| !is_of_match && !has_left) {
            let is_there = signaling.peers().iter().any(|live| live.as_str() == peer);
            assert!(!is_there, "{peer} is removed from {channel}, {reason:?}, and is there");
        }
    }
}
