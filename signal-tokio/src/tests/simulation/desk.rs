//! What the server does, seen from its sockets and its events, and what it may do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use signal_core::{EndReason, ServerMessage, codec};
use tokio::time::Instant;

use super::plan::{self, Plan};
use crate::{Event, Events, Signaling};

/// The sessions of the server that runs at the moment.
pub(super) struct Desk {
    plan: Plan,
    /// How often the server has been started before.
    pub(super) life: u32,
    started_at: Instant,
    sessions: BTreeMap<String, Served>,
    /// What has been done that ends sessions.
    allowed: Vec<(String, EndReason)>,
    /// Whose sessions end if they have no socket.
    replaced: BTreeSet<String>,
    /// Who has shown a seat of an earlier life, and where.
    pub(super) seats: BTreeSet<(String, String)>,
    /// The server, and what it tells its embedder.
    server: Option<(Signaling, Events)>,
}

struct Served {
    /// Which socket carries it.
    socket: u64,
    /// Since when the server knows that it is lost.
    lost_at: Option<Instant>,
    /// When the server gives it up, unless the client takes something before.
    gives_up_at: Option<Instant>,
    /// Whether the client has said something in it, so that it has heard of it.
    is_known: bool,
}

impl Desk {
    pub(super) fn new(plan: &Plan, life: u32) -> Self {
        Self {
            plan: plan.clone(),
            life,
            started_at: Instant::now(),
            server: None,
            sessions: BTreeMap::new(),
            allowed: Vec::new(),
            replaced: BTreeSet::new(),
            seats: BTreeSet::new(),
        }
    }

    pub(super) fn observe(&mut self, signaling: &Signaling) {
        self.server = Some((signaling.clone(), signaling.events()));
    }

    /// The server is dead.
    pub(super) fn close(&mut self) {
        self.server = None;
        self.sessions.clear();
    }

    /// Takes in what has happened meanwhile.
    pub(super) fn catch_up(&mut self) {
        while let Some((signaling, events)) = &mut self.server
            && let Ok(event) = events.0.try_recv()
        {
            let members = match &event {
                Event::Joined { channel, .. } => signaling.channel(channel.as_str()),
                Event::Connected { .. } | Event::Parted { .. } | Event::Gone { .. } => None,
            };
            self.note(&event, members.map_or(0, |info| info.members.len()));
        }
    }

    /// Something is done that may end the session of a peer, if it gets there.
    pub(super) fn allow(&mut self, peer: &str, reason: EndReason) {
        self.allowed.push((peer.to_owned(), reason));
    }

    /// Somebody asks for the end of a session that has no socket.
    pub(super) fn replace(&mut self, peer: &str) {
        self.replaced.insert(peer.to_owned());
    }

    /// A socket carries a session from now on.
    pub(super) fn welcomed(&mut self, socket: u64, text: &str) -> Option<String> {
        let frame = codec::decode_server(text).expect("the server says what it shall");
        let Some(ServerMessage::Welcome { peer_id, resumed, .. }) = frame.message() else { return None };
        let known = self.sessions.get_mut(&*peer_id);
        assert!(known.is_some() || !resumed, "{peer_id} goes on, and is not there");
        // One that was made for a token of an earlier life, and of which no client has heard, is given once more.
        let is_given_again = known.as_ref().is_some_and(|served| !served.is_known);
        assert!(known.is_none() || resumed || is_given_again, "{peer_id} is there twice");
        match known {
            Some(served) => {
                *served = Served { socket, lost_at: None, gives_up_at: None, is_known: served.is_known };
            }
            None => {
                let served = Served { socket, lost_at: None, gives_up_at: None, is_known: false };
                self.sessions.insert(peer_id.to_string(), served);
            }
        }
        Some(peer_id.into_owned())
    }

    /// The client has said something.
    pub(super) fn heard(&mut self, peer: &str, socket: u64) {
        if let Some(served) = self.sessions.get_mut(peer).filter(|served| served.socket == socket) {
            served.is_known = true;
        }
    }

    /// The server has learnt at this moment that a socket is of no use any more.
    pub(super) fn lost(&mut self, peer: &str, socket: u64) {
        if let Some(served) = self.sessions.get_mut(peer).filter(|served| served.socket == socket) {
            served.lost_at = served.lost_at().or(Some(Instant::now()));
        }
    }

    /// The server will give a socket up, unless its client takes something before.
    pub(super) fn gives_up(&mut self, peer: &str, socket: u64, at: Option<Instant>) {
        if let Some(served) = self.sessions.get_mut(peer).filter(|served| served.socket == socket) {
            served.gives_up_at = at;
        }
    }

    fn note(&mut self, event: &Event, members: usize) {
        match event {
            Event::Joined { peer, channel } => {
                let capacity = plan::capacity(channel.as_str());
                assert!(members <= capacity, "{members} in {channel}");
                let is_reserved = Instant::now() < self.started_at + self.plan.returning;
                let is_bounded = capacity < plan::MEMBERS && !channel.is_of_a_match();
                if is_reserved && self.plan.has_keys && is_bounded {
                    let key = (peer.to_string(), channel.to_string());
                    assert!(self.seats.contains(&key), "{peer} has taken a seat in {channel}");
                }
            }
            Event::Gone { peer, reason } => {
                if let Some(served) = self.sessions.remove(peer.as_str()) {
                    self.check_end(peer.as_str(), &served, *reason);
                }
            }
            Event::Connected { .. } | Event::Parted { .. } => {}
        }
    }

    fn check_end(&self, peer: &str, served: &Served, reason: EndReason) {
        let is_fine = match reason {
            EndReason::Timeout => {
                let silence = served.lost_at().map(|lost_at| Instant::now() - lost_at);
                let is_late = |silence: Duration| {
                    !self.plan.log_is_slow && silence > self.plan.grace + Duration::from_millis(10)
                };
                silence.is_some_and(|silence| silence >= self.plan.grace && !is_late(silence))
            }
            EndReason::Overflow => self.plan.outbox < 1024,
            EndReason::Bye | EndReason::Kicked | EndReason::Replaced => {
                let is_replaced = reason == EndReason::Replaced && served.lost_at().is_some();
                self.allowed.contains(&(peer.to_owned(), reason))
                    || (is_replaced && self.replaced.contains(peer))
            }
            EndReason::Parted | EndReason::Closed => false,
        };
        let lost_at = served.lost_at().map(|lost_at| Instant::now() - lost_at);
        assert!(is_fine, "{peer} has ended: {reason:?}, without a socket for {lost_at:?}, {:?}", self.plan);
    }
}

impl Served {
    /// Since when it has no socket, in the eyes of the server.
    fn lost_at(&self) -> Option<Instant> {
        self.lost_at.or(self.gives_up_at.filter(|at| *at <= Instant::now()))
    }
}
