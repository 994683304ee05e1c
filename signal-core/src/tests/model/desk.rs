//! Where the outputs go: to the clients, and to what is checked after each input.

use std::collections::BTreeSet;

use super::client::Client;
use crate::{ChannelName, Entry, Output, Place, ServerMessage, SessionId, Token, codec};

/// What the outputs of one input are noted in.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) clients: Vec<Option<Client>>,
    /// The seats that the embedder has heard of.
    pub(super) seats: BTreeSet<(SessionId, String)>,
    pub(super) held: BTreeSet<SessionId>,
    pub(super) questions: Vec<(Token, ChannelName)>,
    pub(super) appends: Vec<(Token, ChannelName, Entry)>,
    /// What was said in the last input, to whom.
    pub(super) said: Vec<(Vec<String>, String)>,
    /// All outputs, to be compared with those of the same inputs.
    pub(super) all: Vec<String>,
}

impl Desk {
    pub(super) fn note(&mut self, output: &Output<'_>) {
        self.all.push(format!("{output:?}"));
        match output {
            Output::Send { to, message, .. } => self.send(to.iter().collect(), message),
            Output::Append { token, place, entry } => {
                self.appends.push((*token, channel_of(place), entry.clone()));
            }
            Output::Authorize { token, place, .. } => self.questions.push((*token, channel_of(place))),
            Output::Hold { session } => {
                self.live(*session);
                assert!(self.held.insert(*session), "held twice");
            }
            Output::Release { session } => {
                self.live(*session);
                assert!(self.held.remove(session), "released without being held");
            }
            Output::Close { session, .. } => self.live(*session).is_over = true,
            Output::Joined { session, channel, settings: _, standing: _ } => {
                self.live(*session);
                assert!(self.seats.insert((*session, channel.to_string())), "two seats in {channel}");
            }
            Output::Parted { session, channel, .. } => {
                assert!(self.seats.remove(&(*session, channel.to_string())), "no seat in {channel}");
            }
            Output::Ended { session, peer, .. } => {
                let ended = self.clients[session.0 as usize].take().expect("it ends once");
                assert_eq!(ended.peer, peer.as_str());
                self.held.remove(session);
                assert!(!self.seats.iter().any(|(seated, _)| seated == session), "its seats were given up");
            }
        }
    }

    /// Through the text, as a client reads it.
    fn send(&mut self, to: Vec<SessionId>, message: &ServerMessage<'_>) {
        let mut text = Vec::new();
        codec::encode(message, &mut text);
        let text = String::from_utf8(text).unwrap();
        let frame = codec::decode_server(&text).unwrap();
        let read = frame.message().unwrap();
        assert!(!to.is_empty() && to.iter().collect::<BTreeSet<_>>().len() == to.len(), "each once: {to:?}");
        let names = to.iter().map(|session| {
            self.live(*session).receive(&read);
            self.live(*session).peer.clone()
        });
        let names = names.collect();
        self.said.push((names, text));
    }

    pub(super) fn live(&mut self, session: SessionId) -> &mut Client {
        let client = self.clients[session.0 as usize].as_mut().expect("the session has not ended");
        assert!(!client.is_over, "{} is over", client.peer);
        client
    }

    pub(super) fn client(&self, peer: &str) -> Option<(SessionId, &Client)> {
        let clients = self.clients.iter().zip(0..);
        let mut known = clients.filter_map(|(client, number)| Some((SessionId(number), client.as_ref()?)));
        known.find(|(_, client)| client.peer == peer)
    }

    pub(super) fn live_clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().flatten().filter(|client| !client.is_over)
    }
}

fn channel_of(place: &Place) -> ChannelName {
    match place {
        Place::Channel(name) => name.clone(),
        Place::Pool(_) => panic!("strangers have a model of their own"),
    }
}
