//! A hub among policy, log and other machines that take their time, with all its clients.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    CHANNELS, Connection, Fate, Op, PEERS, REMOTE_PEERS, Relayed, RemoteEntry, Step,
    checks::{self, Member},
    client::{Asked, Client, Kind},
    desk::Desk,
    hosting, limits, settings,
};
use crate::{
    ChannelName, EndReason, Entry, Epoch, ErrorCode, Hub, Input, JoinGrant, OwnedPayload, PeerId, Place,
    Position, SessionId, Target, Token, Topology,
    codec::{self, DecodeError, FrameLimits},
};

pub(super) struct World {
    pub(super) hub: Hub,
    now: Instant,
    policy: Fates,
    log: Fates,
    ops: usize,
    position: u64,
    questions: Vec<Question>,
    pub(super) appends: Vec<Append>,
    /// When sessions without a socket are over.
    deadlines: BTreeMap<SessionId, Instant>,
    pub(super) desk: Desk,
    /// What the log has committed, worked out apart from the hub.
    pub(super) channels: BTreeMap<String, Vec<Member>>,
    /// The host of the stage, and the entry that has made it that.
    pub(super) host: Option<(String, u64)>,
    pub(super) committed: BTreeMap<String, Vec<(Position, Entry)>>,
}

struct Question {
    due: usize,
    token: Token,
    channel: ChannelName,
    refused: bool,
}

pub(super) struct Append {
    due: usize,
    token: Token,
    pub(super) channel: ChannelName,
    pub(super) entry: Entry,
    refused: bool,
}

/// What becomes of questions and appends, one after the other and then again from the start.
struct Fates {
    fates: Vec<Fate>,
    used: usize,
}

impl Fates {
    fn next(&mut self) -> Fate {
        let fate = self.fates.get(self.used % self.fates.len().max(1)).copied();
        self.used += 1;
        fate.unwrap_or(Fate { delay: 0, refused: false })
    }
}

impl World {
    /// Plays everything, lets it come to rest, ends all sessions, and returns all outputs.
    pub(super) fn play(steps: &[Step], policy: &[Fate], log: &[Fate], cut: usize) -> Vec<String> {
        let fates = |fates: &[Fate]| Fates { fates: fates.to_vec(), used: 0 };
        let mut world = Self {
            hub: Hub::new(limits(), Epoch(7)),
            now: Instant::now(),
            policy: fates(policy),
            log: fates(log),
            ops: 0,
            position: 0,
            questions: Vec::new(),
            appends: Vec::new(),
            deadlines: BTreeMap::new(),
            desk: Desk::default(),
            channels: BTreeMap::new(),
            host: None,
            committed: BTreeMap::new(),
        };
        for (number, (op, wants_answer)) in steps.iter().enumerate() {
            world.ops = number;
            world.perform(op, wants_answer.then_some(number as u64));
            world.answer(false);
        }
        world.come_to_rest();
        world.check_that_all_is_answered();
        world.check_replay(cut);
        world.end_everything();
        assert!(world.hub.is_empty() && world.hub.poll_timeout().is_none(), "{:?}", world.hub);
        world.desk.all
    }

    fn perform(&mut self, op: &Op, id: Option<u64>) {
        let number = self.ops as u64;
        self.desk.said.clear();
        match *op {
            Op::Join { peer, channel, userdata } => {
                let value = userdata.map_or(String::new(), |value| format!(r#","userdata":{value}"#));
                let frame = format!(r#""type":"join","channel":"{}"{value}"#, CHANNELS[channel]);
                self.ask(peer, id, Kind::Join, CHANNELS[channel], &frame);
            }
            Op::Part { peer, channel } => {
                let frame = format!(r#""type":"part","channel":"{}""#, CHANNELS[channel]);
                self.ask(peer, id, Kind::Part, CHANNELS[channel], &frame);
            }
            Op::Set { peer, channel, userdata } => {
                let frame = format!(
                    r#""type":"setUserdata","channel":"{}","userdata":{userdata}"#,
                    CHANNELS[channel]
                );
                self.ask(peer, id, Kind::Set, CHANNELS[channel], &frame);
            }
            Op::Say { peer, channel } => {
                let frame = format!(r#""type":"send","channel":"{}","data":{number}"#, CHANNELS[channel]);
                self.ask(peer, id, Kind::Say, CHANNELS[channel], &frame);
            }
            Op::Tell { peer, to } => {
                let frame = format!(r#""type":"send","peer_id":"{}","data":{number}"#, PEERS[to]);
                self.relay(peer, to, id, None, &frame);
            }
            Op::Relay { peer, to, what, connection } => {
                let what = match what {
                    Relayed::Offer => {
                        r#""type":"relaySessionDescription","session_description":{"type":"offer","sdp":""}"#
                    }
                    Relayed::Candidate => r#""type":"relayICECandidate","ice_candidate":null"#,
                };
                let connection = self.connection(PEERS[peer], PEERS[to], connection);
                let given =
                    connection.as_ref().map_or(String::new(), |id| format!(r#","connection_id":"{id}""#));
                let frame = format!(r#"{what},"peer_id":"{}"{given},"attempt":{number}"#, PEERS[to]);
                self.relay(peer, to, id, connection, &frame);
            }
            Op::Rubbish { peer } => self.ask(peer, id, Kind::Rubbish, "", r#""type":"part""#),
            Op::Bye { peer } => self.ask(peer, None, Kind::Rubbish, "", r#""type":"bye""#),
            Op::Detach { peer } => {
                if let Some(session) = self.hub.session_of(PEERS[peer]) {
                    self.deadlines.entry(session).or_insert(self.now + limits().grace);
                    self.feed(Input::Detached { session });
                }
            }
            Op::Resume { peer } => {
                if let Some(session) = self.hub.session_of(PEERS[peer]) {
                    self.deadlines.remove(&session);
                    self.feed(Input::Resumed { session });
                }
            }
            Op::End { peer, reason } => self.end(PEERS[peer], reason),
            Op::Kick { peer, channel } => {
                if let Some(session) = self.hub.session_of(PEERS[peer]) {
                    self.feed(Input::Expelled { session, channel: CHANNELS[channel] });
                }
            }
            Op::Publish { channel } => {
                let data = OwnedPayload::from_json("0").unwrap();
                let to = Target::Channel(CHANNELS[channel]);
                self.feed(Input::Published { to, data: data.as_payload() });
            }
            Op::Wait { seconds } => self.wait(Duration::from_secs(seconds)),
            Op::Remote { peer, channel, what } => {
                let peer = PeerId::new(REMOTE_PEERS[peer]).unwrap();
                let entry = match what {
                    RemoteEntry::Join => {
                        let settings = settings(CHANNELS[channel]);
                        let hosting = hosting(peer.as_str());
                        Entry::Join { peer, identity: None, userdata: None, settings, hosting }
                    }
                    RemoteEntry::Update(value) => {
                        Entry::Update { peer, userdata: OwnedPayload::from_json(&value.to_string()).unwrap() }
                    }
                    RemoteEntry::Part => Entry::Part { peer, reason: EndReason::Timeout },
                };
                self.commit(ChannelName::new(CHANNELS[channel]).unwrap(), entry);
            }
        }
    }

    /// A peer says something. What comes from a session that is still giving up its seats has no effect.
    fn ask(&mut self, peer: usize, id: Option<u64>, what: Kind, channel: &str, keys: &str) {
        let session = self.connected(PEERS[peer]);
        let client = self.desk.clients[session.0 as usize].as_mut().unwrap();
        let (is_over, outputs) = (client.is_over, self.desk.all.len());
        if let Some(id) = id {
            client.waits_for.insert(id, Asked { what, channel: channel.to_owned() });
        }
        let id = id.map_or(String::new(), |id| format!(r#","id":{id}"#));
        let text = format!("{{{keys}{id}}}");
        match codec::decode(&text, &FrameLimits::default()) {
            Ok(frame) => self.feed(Input::Message { session, frame }),
            Err(DecodeError { code, id }) => self.feed(Input::Malformed { session, code, id }),
        }
        assert!(!is_over || self.desk.all.len() == outputs, "{}", self.desk.all[outputs]);
    }

    /// A relay is decided at once, by what both sides have been told.
    fn relay(&mut self, peer: usize, to: usize, id: Option<u64>, connection: Option<String>, keys: &str) {
        let shared = self.shared(PEERS[peer], PEERS[to]);
        self.ask(peer, id, Kind::Relay, "", keys);
        let error = if shared.is_empty() {
            Some(ErrorCode::UnknownPeer)
        } else {
            let is_live = connection.is_none() || shared.contains(&connection);
            (!is_live).then_some(ErrorCode::StaleConnection)
        };
        let Some((_, client)) = self.desk.client(PEERS[peer]).filter(|(_, client)| !client.is_over) else {
            return assert!(self.desk.said.is_empty(), "a session that is over has said something");
        };
        let (answer, said) = (client.peer.clone(), &self.desk.said);
        let confirmed = usize::from(id.is_some());
        match error {
            Some(code) => {
                assert_eq!(said.len(), 1, "{said:?}");
                assert!(said[0].0 == [answer] && said[0].1.contains(code.as_str()), "{said:?}");
            }
            None => {
                assert_eq!(said.len(), 1 + confirmed, "{said:?}");
                assert_eq!(said[0].0, [PEERS[to]], "{said:?}");
            }
        }
    }

    /// For each channel that both know they share: the id of their introduction there, if there is one.
    fn shared(&self, one: &str, other: &str) -> Vec<Option<String>> {
        let live = |peer| self.desk.live_clients().find(|client| client.peer == peer);
        let (Some(one), Some(other)) = (live(one), live(other)) else { return Vec::new() };
        let both = CHANNELS.into_iter().filter(|name| {
            let (mine, theirs) = (one.channels.get(*name), other.channels.get(*name));
            let is_star = settings(name).topology == Topology::Star;
            let meet = mine.is_some_and(|known| !is_star || known.contains_key(&other.peer));
            one.peer != other.peer && meet && theirs.is_some()
        });
        both.map(|name| one.channels[name].get(&other.peer).map(|known| known.connection_id.clone()))
            .collect()
    }

    fn connection(&self, one: &str, other: &str, connection: Connection) -> Option<String> {
        match connection {
            Connection::Absent => None,
            Connection::At(position) => Some(format!("7.{position}")),
            Connection::Of(channel) => {
                let (_, client) = self.desk.client(one)?;
                Some(client.channels.get(CHANNELS[channel])?.get(other)?.connection_id.clone())
            }
        }
    }

    fn end(&mut self, peer: &str, reason: EndReason) {
        if let Some(session) = self.hub.session_of(peer) {
            self.desk.clients[session.0 as usize].as_mut().unwrap().is_over = true;
            self.feed(Input::Disconnected { session, reason });
        }
    }

    /// The session of a peer, which gets a free number and every other time an identity.
    fn connected(&mut self, peer: &str) -> SessionId {
        if let Some((session, _)) = self.desk.client(peer) {
            return session;
        }
        let free = self.desk.clients.iter().position(Option::is_none).unwrap_or_else(|| {
            self.desk.clients.push(None);
            self.desk.clients.len() - 1
        });
        let identity = (free % 2 == 1).then(|| format!("{peer}@example.org"));
        self.desk.clients[free] = Some(Client::new(peer));
        let session = SessionId(free as u32);
        self.deadlines.remove(&session);
        let identity = identity.map(Into::into);
        self.feed(Input::Connected { session, peer: PeerId::new(peer).unwrap(), identity, namespace: None });
        session
    }

    fn feed(&mut self, input: Input<'_>) {
        let desk = &mut self.desk;
        desk.said.clear();
        let is_timeout = matches!(input, Input::Timeout);
        self.hub.handle_input(self.now, input, |output| desk.note(&output));
        if is_timeout {
            self.end_those_whose_time_is_up();
        }
        for (token, channel) in std::mem::take(&mut self.desk.questions) {
            let Fate { delay, refused } = self.policy.next();
            self.questions.push(Question { due: self.ops + delay, token, channel, refused });
        }
        for (token, channel, entry) in std::mem::take(&mut self.desk.appends) {
            self.check_append(&channel, &entry);
            let Fate { delay, refused } = self.log.next();
            self.appends.push(Append { due: self.ops + delay, token, channel, entry, refused });
        }
        self.check_what_was_said();
        self.check_views();
    }

    /// Lets the policy and the log answer what is due.
    fn answer(&mut self, at_once: bool) {
        loop {
            let now = self.ops;
            let is_due = |due: usize| at_once || due <= now;
            if let Some(index) = self.questions.iter().position(|question| is_due(question.due)) {
                let Question { token, channel, refused, .. } = self.questions.remove(index);
                if refused && !at_once {
                    self.feed(Input::Denied { token, code: ErrorCode::Unauthorized, message: "no" });
                } else {
                    let peer = self.hub.peer_of(token.session()).map_or("", PeerId::as_str);
                    let grant = JoinGrant { settings: settings(channel.as_str()), hosting: hosting(peer) };
                    self.feed(Input::Authorized { token, grant: grant.into() });
                }
            } else if let Some(index) = self.appends.iter().position(|append| is_due(append.due)) {
                let Append { token, channel, entry, refused, .. } = self.appends.remove(index);
                if refused && !at_once {
                    self.feed(Input::Refused { token });
                } else {
                    self.commit(channel, entry);
                }
            } else {
                return;
            }
        }
    }

    /// Commits an entry after it has been through its serialised form.
    fn commit(&mut self, channel: ChannelName, entry: Entry) {
        self.position += 1;
        let position = Position(self.position);
        let entry: Entry = serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
        self.committed.entry(channel.to_string()).or_default().push((position, entry.clone()));
        let members = self.channels.entry(channel.to_string()).or_default();
        checks::apply(members, settings(channel.as_str()).capacity as usize, position.0, &entry);
        if channel.as_str() == "stage" {
            checks::appoint(&mut self.host, members, position.0);
        }
        self.feed(Input::Committed { place: Place::Channel(channel), position, entry });
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.hub.poll_timeout().filter(|deadline| *deadline <= until) {
            self.now = deadline;
            self.feed(Input::Timeout);
            assert!(self.hub.poll_timeout().is_none_or(|next| next > deadline), "the deadline stands still");
        }
        self.now = until;
    }

    fn end_those_whose_time_is_up(&mut self) {
        for (session, deadline) in &self.deadlines {
            if let Some(client) = &mut self.desk.clients[session.0 as usize] {
                client.is_over |= *deadline <= self.now;
            }
        }
    }

    /// Nobody refuses or delays any more, and time passes until nothing is waited for.
    fn come_to_rest(&mut self) {
        self.answer(true);
        while let Some(deadline) = self.hub.poll_timeout() {
            self.wait(deadline - self.now);
            self.answer(true);
        }
        assert!(self.desk.held.is_empty(), "somebody is not read any more");
    }

    fn end_everything(&mut self) {
        for channel in CHANNELS {
            for peer in REMOTE_PEERS {
                let entry = Entry::Part { peer: PeerId::new(peer).unwrap(), reason: EndReason::Bye };
                self.commit(ChannelName::new(channel).unwrap(), entry);
            }
        }
        PEERS.into_iter().for_each(|peer| self.end(peer, EndReason::Closed));
        self.come_to_rest();
        assert!(self.desk.clients.iter().all(Option::is_none), "all have ended");
    }
}
