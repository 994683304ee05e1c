//! The machines, the log between them, and what happens.

use std::{
    collections::BTreeMap,
    mem,
    time::{Duration, Instant},
};

use signal_core::{
    Channel, ChannelName, ClientFrame, ClientMessage, EndReason, Entry, Epoch, ErrorCode, Grant, Hosting,
    Input, JoinGrant, MatchGrant, OwnedPayload, PeerId, Place, Pool, PoolName, Position, RequestId,
    SessionId, Standing, Target,
    codec::{self, DecodeError, FrameLimits},
};

use crate::{
    machine::{Machine, Wanted},
    script::{FAR_PEERS, PEERS, Script, settings},
};

/// The frame of a peer that waits no longer, up to the name of the pool.
const CANCEL: &str = r#""type":"cancelMatch","pool":""#;

pub(crate) struct World {
    pub(crate) machines: [Machine; 2],
    now: Instant,
    epoch: u64,
    log: Vec<(Place, Entry)>,
    /// What the log says, worked out apart from the hubs; but for the channels that matches make.
    pub(crate) replayed: BTreeMap<ChannelName, Channel>,
    pub(crate) pools: BTreeMap<PoolName, Pool>,
    /// The seats of before the restart.
    past: BTreeMap<(String, ChannelName), Standing>,
    /// How many channels matches have been offered.
    rooms: u64,
    /// How many requests there were.
    asked: u64,
}

impl World {
    /// Plays a script, lets everything come to rest, and ends all sessions.
    pub(crate) fn play(bytes: &[u8]) {
        let machines = [Machine::new(Epoch(0)), Machine::new(Epoch(0))];
        let mut world = Self {
            machines,
            now: Instant::now(),
            epoch: 0,
            log: Vec::new(),
            replayed: BTreeMap::new(),
            pools: BTreeMap::new(),
            past: BTreeMap::new(),
            rooms: 0,
            asked: 0,
        };
        let mut script = Script::new(bytes);
        // Whether policy and log answer at once.
        let is_prompt = script.next(b'0') % 2 == 1;
        while let Some(step) = script.step() {
            world.perform(step, &mut script);
            if is_prompt {
                world.settle();
            }
        }
        world.settle();
        world.check_at_rest();
        world.rest();
        world.end_everything();
    }

    fn perform(&mut self, step: u8, script: &mut Script<'_>) {
        match step {
            b'j' => self.ask(script.peer(), &format!(r#""type":"join","channel":"{}""#, script.name())),
            b'u' => {
                let (peer, name, value) = (script.peer(), script.name(), script.index(10));
                self.ask(peer, &format!(r#""type":"join","channel":"{name}","userdata":{value},"seat":"""#));
            }
            b'p' => self.ask(script.peer(), &format!(r#""type":"part","channel":"{}""#, script.name())),
            b's' => {
                let (peer, name, value) = (script.peer(), script.name(), script.index(10));
                self.ask(peer, &format!(r#""type":"setUserdata","channel":"{name}","userdata":{value}"#));
            }
            b'c' => {
                self.ask(script.peer(), &format!(r#""type":"send","channel":"{}","data":1"#, script.name()))
            }
            b'd' => self.ask(
                script.peer(),
                &format!(r#""type":"send","peer_id":"{}","data":1"#, PEERS[script.peer()]),
            ),
            b'o' => {
                let (peer, to) = (script.peer(), PEERS[script.peer()]);
                let (epoch, position) = (self.epoch, script.index(64));
                self.ask(
                    peer,
                    &format!(
                        r#""type":"relaySessionDescription","peer_id":"{to}","connection_id":"{epoch:x}.{position}","session_description":{{"type":"rollback"}}"#
                    ),
                );
            }
            b'i' => {
                let (peer, to) = (script.peer(), PEERS[script.peer()]);
                self.ask(
                    peer,
                    &format!(r#""type":"relayICECandidate","peer_id":"{to}","ice_candidate":null"#),
                );
            }
            b'm' => self.ask(script.peer(), &format!(r#""type":"match","pool":"{}""#, script.name())),
            b'n' => self.ask(script.peer(), &format!(r#"{CANCEL}{}""#, script.name())),
            b'g' => {
                // On to the next stranger.
                let (peer, pool) = (script.peer(), script.name());
                let left = self.strange_channel_of(peer).unwrap_or_else(|| "A".to_owned());
                self.ask(peer, &format!(r#""type":"match","pool":"{pool}","leave":"{left}""#));
            }
            b'x' => {
                let (peer, text) = (script.peer(), script.text());
                self.say(peer, text);
            }
            b'b' => self.say(script.peer(), r#"{"type":"bye"}"#),
            b'k' => {
                let (peer, channel) = (script.peer(), script.name());
                self.to(peer, |session| Input::Expelled { session, channel });
            }
            b'e' => {
                let data = OwnedPayload::from_json("0").expect("JSON");
                let (machine, to) = (script.index(2), Target::Channel(script.name()));
                self.machines[machine].feed(self.now, Input::Published { to, data: data.as_payload() });
            }
            b'l' => {
                let peer = script.peer();
                self.mark_detached(peer, true);
                self.to(peer, |session| Input::Detached { session });
            }
            b'r' => {
                let peer = script.peer();
                self.mark_detached(peer, false);
                self.to(peer, |session| Input::Resumed { session });
            }
            b'f' => {
                let (peer, reason) = (script.peer(), script.reason());
                self.to(peer, |session| Input::Disconnected { session, reason });
            }
            b'y' => self.answer(script.index(2), script.next(b'0'), Answer::Yes),
            b'z' => self.answer(script.index(2), script.next(b'0'), Answer::No),
            b'w' => {
                let machine = script.index(2);
                (0..=script.index(8)).for_each(|_| self.answer(machine, 0, Answer::Yes));
            }
            b'h' => self.hear(script.index(2)),
            b'a' => self.hear_again(script.index(2), script.next(b'0')),
            b't' => self.wait(Duration::from_millis([20, 1000, 3000, 15_000][script.index(4)])),
            b'q' => self.write_from_afar(script),
            _ => self.restart(),
        }
    }

    /// A request that is to be answered.
    fn ask(&mut self, peer: usize, keys: &str) {
        self.asked += 1;
        let id = self.asked;
        let Some(session) = self.connect(peer) else { return };
        let cancels = keys.strip_prefix(CANCEL).map(|pool| pool.trim_end_matches('"').to_owned());
        self.machines[peer % 2].client(session).asked.insert(id, cancels);
        self.feed_text(peer, session, Some(id), &format!(r#"{{{keys},"id":{id}}}"#));
    }

    /// Any text, which wants no answer.
    fn say(&mut self, peer: usize, text: &str) {
        if let Some(session) = self.connect(peer) {
            self.feed_text(peer, session, None, text);
        }
    }

    fn feed_text(&mut self, peer: usize, session: SessionId, asked: Option<u64>, text: &str) {
        let (now, machine) = (self.now, &mut self.machines[peer % 2]);
        let is_ours = |id: &RequestId| asked.is_some_and(|asked| *id == RequestId::Number(asked));
        match codec::decode(text, &FrameLimits::default()) {
            // Who wants no answer would not know when it waits no longer.
            Ok(ClientFrame { message: ClientMessage::CancelMatch { .. }, .. }) if asked.is_none() => {}
            Ok(mut frame) => {
                frame.id = frame.id.filter(is_ours);
                machine.feed(now, Input::Message { session, frame });
            }
            Err(DecodeError { code, id }) => {
                let id = id.filter(is_ours);
                machine.feed(now, Input::Malformed { session, code, id });
            }
        }
    }

    fn connect(&mut self, peer: usize) -> Option<SessionId> {
        self.machines[peer % 2].connected(self.now, PEERS[peer])
    }

    fn to<'i>(&mut self, peer: usize, input: impl FnOnce(SessionId) -> Input<'i>) {
        let machine = &mut self.machines[peer % 2];
        if let Some(session) = machine.hub.session_of(PEERS[peer]) {
            machine.feed(self.now, input(session));
        }
    }

    fn mark_detached(&mut self, peer: usize, is_detached: bool) {
        let machine = &mut self.machines[peer % 2];
        if let Some(session) = machine.hub.session_of(PEERS[peer]) {
            machine.client(session).is_detached = is_detached;
        }
    }

    fn strange_channel_of(&self, peer: usize) -> Option<String> {
        let hub = &self.machines[peer % 2].hub;
        let mut channels = hub.channels_of(hub.session_of(PEERS[peer])?);
        channels.find(|name| name.is_of_a_match()).map(ToString::to_string)
    }

    /// Policy or log answer one of the things that a machine waits for.
    fn answer(&mut self, machine: usize, index: u8, answer: Answer) {
        let now = self.now;
        let wanted = &mut self.machines[machine].wanted;
        if wanted.is_empty() {
            return;
        }
        let input = match (wanted.remove(usize::from(index) % wanted.len()), answer) {
            (Wanted::Append(_, place, entry), Answer::Yes) => return self.write(place, entry),
            (Wanted::Append(token, ..), Answer::No) => Input::Refused { token },
            (Wanted::Authorize(token, place), answer) => match self.grant(machine, token.session(), place) {
                Some(grant) if answer == Answer::Yes => Input::Authorized { token, grant },
                _ => Input::Denied { token, code: ErrorCode::Unauthorized, message: "no" },
            },
        };
        self.machines[machine].feed(now, input);
    }

    fn grant(&mut self, machine: usize, session: SessionId, place: Place) -> Option<Grant> {
        match place {
            Place::Channel(name) => {
                let peer = self.machines[machine].hub.peer_of(session)?;
                let hosting = if peer.as_str() == PEERS[1] { Hosting::Never } else { Hosting::Candidate };
                let grant = JoinGrant { settings: settings(name.as_str()), hosting };
                match self.past.get(&(peer.to_string(), name.clone())) {
                    Some(standing) => Some(Grant::Return { grant, standing: *standing }),
                    None => (!name.is_of_a_match()).then_some(Grant::Join(grant)),
                }
            }
            Place::Pool(name) => {
                self.rooms += 1;
                let room = ChannelName::new(&format!("~{}", self.rooms)).expect("a good name");
                let patience = Duration::from_secs(60);
                Some(Grant::Match { grant: MatchGrant { settings: settings(name.as_str()), patience }, room })
            }
        }
    }

    /// The log orders an entry, through its text.
    fn write(&mut self, place: Place, entry: Entry) {
        let text = serde_json::to_string(&entry).expect("entries have a text");
        let entry: Entry = serde_json::from_str(&text).expect("what is written can be read");
        self.log.push((place.clone(), entry.clone()));
        let position = Position(self.log.len() as u64);
        match place {
            Place::Channel(name) => {
                let is_of_a_match = name.is_of_a_match();
                let channel = self.replayed.entry(name.clone()).or_default();
                channel.replay(position, entry);
                if channel.members().is_empty() || is_of_a_match {
                    self.replayed.remove(&name);
                }
            }
            Place::Pool(name) => {
                let pool = self.pools.entry(name.clone()).or_default();
                pool.replay(position, entry);
                if pool.tickets().is_empty() {
                    self.pools.remove(&name);
                }
            }
        }
    }

    fn hear(&mut self, machine: usize) {
        let machine = &mut self.machines[machine];
        if let Some((place, entry)) = self.log.get(machine.heard).cloned() {
            machine.heard += 1;
            let position = Position(machine.heard as u64);
            machine.feed(self.now, Input::Committed { place, position, entry });
        }
    }

    /// An entry of before comes once more. Of a place that is empty by now the hub knows nothing any more.
    fn hear_again(&mut self, machine: usize, index: u8) {
        let machine = &mut self.machines[machine];
        let Some(index) = usize::from(index).checked_rem(machine.heard) else { return };
        let (place, entry) = self.log[index].clone();
        let is_there = match &place {
            Place::Channel(name) => machine.hub.channel(name.as_str()).is_some(),
            Place::Pool(name) => machine.hub.pool(name.as_str()).is_some(),
        };
        if is_there {
            let position = Position(index as u64 + 1);
            machine.feed(self.now, Input::Committed { place, position, entry });
        }
    }

    /// Another machine writes about its own peers, or takes out one of ours.
    fn write_from_afar(&mut self, script: &mut Script<'_>) {
        let (what, who, name) = (script.index(6), script.index(FAR_PEERS.len()), script.name());
        let peer = PeerId::new(FAR_PEERS[who]).expect("a good name");
        let ours = PeerId::new(PEERS[script.peer()]).expect("a good name");
        let (identity, userdata) = (None, OwnedPayload::from_json("7").ok());
        let settings = settings(name);
        let hosting = Hosting::Candidate;
        let pool = Place::Pool(PoolName::new(name).expect("a good name"));
        let channel = Place::Channel(ChannelName::new(name).expect("a good name"));
        match what {
            0 => self.write(channel, Entry::Join { peer, identity, userdata, settings, hosting }),
            1 => self.write(channel, Entry::Part { peer, reason: EndReason::Timeout }),
            2 => self.write(channel, Entry::Part { peer: ours, reason: EndReason::Timeout }),
            3 => {
                self.rooms += 1;
                let room = ChannelName::new(&format!("~{}", self.rooms)).expect("a good name");
                let avoid = vec![ours];
                let settings = signal_core::ChannelSettings { topology: Default::default(), ..settings };
                self.write(pool, Entry::Match { peer, identity, userdata, avoid, room, settings });
            }
            4 => self.write(pool, Entry::Cancel { peer }),
            _ => self.write(pool, Entry::Cancel { peer: ours }),
        }
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let next = self.machines.iter().filter_map(|machine| machine.hub.poll_timeout()).min();
            let Some(deadline) = next.filter(|deadline| *deadline <= until) else { break };
            self.now = self.now.max(deadline);
            for machine in &mut self.machines {
                if machine.hub.poll_timeout().is_some_and(|due| due <= self.now) {
                    machine.feed(self.now, Input::Timeout);
                    assert!(
                        machine.hub.poll_timeout().is_none_or(|next| next > self.now),
                        "time stands still"
                    );
                }
            }
        }
        self.now = until;
    }

    /// Everything starts again: what is left is what clients can prove.
    fn restart(&mut self) {
        self.epoch += 1;
        let fresh = [Machine::new(Epoch(self.epoch)), Machine::new(Epoch(self.epoch))];
        for machine in mem::replace(&mut self.machines, fresh) {
            for (peer, name, standing) in machine.seated {
                self.past.insert((peer, name), standing);
            }
        }
        self.log.clear();
        self.replayed.clear();
        self.pools.clear();
        for machine in &mut self.machines {
            machine.feed(self.now, Input::Restarted);
        }
    }

    /// Policy and log answer all, and all hear of it.
    fn settle(&mut self) {
        loop {
            let waiting = (0..2).find(|machine| !self.machines[*machine].wanted.is_empty());
            let behind = (0..2).find(|machine| self.machines[*machine].heard < self.log.len());
            match (waiting, behind) {
                (Some(machine), _) => self.answer(machine, 0, Answer::Yes),
                (None, Some(machine)) => self.hear(machine),
                (None, None) => return,
            }
        }
    }

    /// Time passes until nothing is waited for.
    fn rest(&mut self) {
        while let Some(deadline) = self.machines.iter().filter_map(|machine| machine.hub.poll_timeout()).min()
        {
            self.wait(deadline.saturating_duration_since(self.now));
            self.settle();
        }
        self.check_at_rest();
        for client in self.machines.iter().flat_map(|machine| machine.live_clients()) {
            assert!(client.asked.is_empty() && !client.is_held, "{client:?}");
        }
    }

    fn end_everything(&mut self) {
        for peer in 0..PEERS.len() {
            self.to(peer, |session| Input::Disconnected { session, reason: EndReason::Closed });
        }
        let rooms = self.machines.iter().flat_map(|machine| machine.hub.channels());
        let rooms = rooms.map(|(name, _)| Place::Channel(name.clone()));
        let places: Vec<_> = self.pools.keys().cloned().map(Place::Pool).chain(rooms).collect();
        for place in places {
            for peer in FAR_PEERS {
                let peer = PeerId::new(peer).expect("a good name");
                let entry = match &place {
                    Place::Channel(_) => Entry::Part { peer, reason: EndReason::Bye },
                    Place::Pool(_) => Entry::Cancel { peer },
                };
                self.write(place.clone(), entry);
            }
        }
        self.settle();
        for machine in &self.machines {
            assert!(machine.hub.is_empty() && machine.hub.poll_timeout().is_none(), "{:?}", machine.hub);
            assert_eq!(machine.hub.counts(), signal_core::Counts::default());
            assert!(machine.clients.iter().all(Option::is_none));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}
