//! One machine: its hub, and its clients.

use std::collections::BTreeSet;
use std::time::Instant;

use signal_core::{
    ChannelName, Entry, Epoch, Hub, Input, Output, PeerId, Place, ServerMessage, SessionId, Standing, Token,
    Topology, codec,
};

use crate::{client::Client, script::limits};

pub(crate) struct Machine {
    pub(crate) hub: Hub,
    pub(crate) clients: Vec<Option<Client>>,
    /// How many entries of the log it has seen.
    pub(crate) heard: usize,
    /// What the hub wants to know or to write.
    pub(crate) wanted: Vec<Wanted>,
    /// Who has got a seat where.
    pub(crate) seated: Vec<(String, ChannelName, Standing)>,
}

#[derive(Clone)]
pub(crate) enum Wanted {
    Authorize(Token, Place),
    Append(Token, Place, Entry),
}

impl Machine {
    pub(crate) fn new(epoch: Epoch) -> Self {
        let hub = Hub::new(limits(), epoch);
        Self { hub, clients: Vec::new(), heard: 0, wanted: Vec::new(), seated: Vec::new() }
    }

    /// The session of a peer; nothing while an earlier one still gives up its seats.
    pub(crate) fn connected(&mut self, now: Instant, peer: &str) -> Option<SessionId> {
        if let Some(session) = self.hub.session_of(peer) {
            return self.hub.is_live(session).then_some(session);
        }
        let free = self.clients.iter().position(Option::is_none).unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        let session = SessionId(free as u32);
        self.clients[free] = Some(Client::new(peer));
        let identity = (free % 2 == 1).then(|| peer.into());
        let peer = PeerId::new(peer).expect("our peers have good names");
        self.feed(now, Input::Connected { session, peer, identity, namespace: None });
        Some(session)
    }

    pub(crate) fn client(&mut self, session: SessionId) -> &mut Client {
        self.clients[session.0 as usize].as_mut().expect("the session has not ended")
    }

    pub(crate) fn live_clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().flatten().filter(|client| !client.is_over)
    }

    pub(crate) fn feed(&mut self, now: Instant, input: Input<'_>) {
        let Self { hub, clients, wanted, seated, .. } = self;
        hub.handle_input(now, input, |output| note(output, clients, wanted, seated));
        // A session whose grace time is over is ended without a word to the driver until nothing is left of it.
        for (client, number) in clients.iter_mut().zip(0..) {
            if let Some(client) = client {
                client.is_over = !hub.is_live(SessionId(number));
                client.check_between_inputs();
            }
        }
        self.check_counts();
    }

    fn check_counts(&self) {
        let counts = self.hub.counts();
        let detached = self.live_clients().filter(|client| client.is_detached).count();
        assert_eq!(
            (counts.attached + counts.detached, counts.detached),
            (self.hub.sessions().count(), detached)
        );
        assert_eq!(self.live_clients().count(), self.hub.sessions().count());
        assert_eq!(counts.channels, self.hub.channels().count());
        assert_eq!(counts.waiting, self.live_clients().map(|client| client.pools.len()).sum::<usize>());
        for (session, peer) in self.hub.sessions() {
            let client = self.clients[session.0 as usize].as_ref().expect("the session has not ended");
            assert_eq!(client.peer, peer.as_str());
            let channels: BTreeSet<_> = self.hub.channels_of(session).map(ToString::to_string).collect();
            assert_eq!(channels, client.seats);
        }
    }
}

fn note(
    output: Output<'_>,
    clients: &mut [Option<Client>],
    wanted: &mut Vec<Wanted>,
    seated: &mut Vec<(String, ChannelName, Standing)>,
) {
    match output {
        Output::Send { to, message, .. } => send(to.iter(), &message, clients),
        Output::Append { token, place, entry } => wanted.push(Wanted::Append(token, place, entry)),
        Output::Authorize { token, place, .. } => wanted.push(Wanted::Authorize(token, place.clone())),
        Output::Hold { session } => {
            let was_held = std::mem::replace(&mut live(clients, session).is_held, true);
            assert!(!was_held);
        }
        Output::Release { session } => {
            let was_held = std::mem::replace(&mut live(clients, session).is_held, false);
            assert!(was_held);
        }
        Output::Close { session, .. } => live(clients, session).is_over = true,
        Output::Joined { session, channel, settings, standing } => {
            let client = live(clients, session);
            assert!(client.seats.insert(channel.to_string()), "two seats in {channel}");
            if settings.topology == Topology::Unlisted {
                client.unlisted.insert(channel.to_string());
            }
            seated.push((client.peer.clone(), channel.clone(), standing));
        }
        Output::Parted { session, channel, .. } => {
            let client = clients[session.0 as usize].as_mut().expect("the session has not ended");
            assert!(client.seats.remove(channel.as_str()), "no seat in {channel}");
            client.unlisted.remove(channel.as_str());
        }
        Output::Ended { session, peer, .. } => {
            let client = clients[session.0 as usize].take().expect("it ends once");
            assert!(client.peer == peer.as_str() && client.seats.is_empty());
        }
    }
}

/// Through the text, as a client reads it, and to each once.
fn send(to: impl Iterator<Item = SessionId>, message: &ServerMessage<'_>, clients: &mut [Option<Client>]) {
    let mut text = Vec::new();
    codec::encode(message, &mut text);
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    let frame = codec::decode_server(&text).expect("what the codec writes it reads");
    let read = frame.message().expect("nothing is missing");
    let mut told = BTreeSet::new();
    for session in to {
        assert!(told.insert(session), "told twice");
        live(clients, session).receive(&read);
    }
    assert!(!told.is_empty(), "nobody is told");
}

fn live(clients: &mut [Option<Client>], session: SessionId) -> &mut Client {
    let client = clients[session.0 as usize].as_mut().expect("the session has not ended");
    assert!(!client.is_over, "{} is over", client.peer);
    client
}
