//! A hub, its policy, its log, and all strangers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{Op, POOLS, Remote, client::Client};
use crate::{
    ChannelName, ChannelSettings, ClientFrame, ClientMessage, EndReason, Entry, Epoch, ErrorCode, Grant, Hub,
    Input, Limits, MatchGrant, Output, Payload, PeerId, Place, PoolName, Position, RequestId, SessionId,
    Token,
};

const PATIENCE: Duration = Duration::from_secs(15);

/// What becomes of one question to the policy or one append to the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    /// How many further operations it takes.
    pub(super) delay: usize,
    pub(super) refused: bool,
}

pub(super) struct World {
    hub: Hub,
    now: Instant,
    ops: usize,
    rooms: usize,
    position: u64,
    policy: Fates,
    log: Fates,
    questions: Vec<(usize, bool, Token, Place)>,
    appends: Vec<(usize, bool, Token, Place, Entry)>,
    clients: Vec<Client>,
    /// The number of each session by the name of its peer, and that of each stranger's last one.
    numbers: BTreeMap<String, usize>,
    last_numbers: BTreeMap<usize, usize>,
    /// The pools as the log makes them: who waits, since when, and whom it avoids.
    pools: BTreeMap<String, Vec<Waiting>>,
    /// Each match, by channel.
    matches: BTreeMap<String, BTreeSet<String>>,
    /// Those of this machine that have been told.
    told: BTreeMap<String, BTreeSet<String>>,
    outbox: Vec<Said>,
}

struct Fates {
    fates: Vec<Fate>,
    used: usize,
}

struct Waiting {
    name: String,
    since: Instant,
    avoid: Vec<String>,
}

enum Said {
    Told(SessionId),
    Asks(Token, Place),
    Appends(Token, Place, Entry),
}

fn settings(pool: &str) -> ChannelSettings {
    ChannelSettings { capacity: if pool == "trio" { 3 } else { 2 }, ..ChannelSettings::default() }
}

impl World {
    /// The log commits at once, and the policy allows everything at once.
    pub(super) fn at_once() -> Self {
        Self::delayed(&[], &[])
    }

    pub(super) fn delayed(policy: &[Fate], log: &[Fate]) -> Self {
        let fates = |fates: &[Fate]| Fates { fates: fates.to_vec(), used: 0 };
        Self {
            hub: Hub::new(Limits::default(), Epoch(7)),
            now: Instant::now(),
            ops: 0,
            rooms: 0,
            position: 0,
            policy: fates(policy),
            log: fates(log),
            questions: Vec::new(),
            appends: Vec::new(),
            clients: Vec::new(),
            numbers: BTreeMap::new(),
            last_numbers: BTreeMap::new(),
            pools: BTreeMap::new(),
            matches: BTreeMap::new(),
            told: BTreeMap::new(),
            outbox: Vec::new(),
        }
    }

    pub(super) fn play(mut self, ops: &[Op]) {
        for (number, op) in ops.iter().enumerate() {
            self.ops = number;
            self.perform(*op);
            self.answer(false);
            self.check();
        }
        self.come_to_rest();
        self.check();
        for client in self.clients.iter().filter(|client| !client.is_over) {
            assert!(client.asked.is_empty(), "{} waits for {:?}", client.name, client.asked);
        }
        (0..self.clients.len()).for_each(|number| self.end(number));
        self.end_remote_strangers();
        self.come_to_rest();
        assert!(self.hub.is_empty() && self.hub.poll_timeout().is_none(), "{:?}", self.hub);
    }

    fn end_remote_strangers(&mut self) {
        for pool in POOLS {
            (0..3).for_each(|stranger| self.remote(&format!("r{stranger}"), pool, Remote::Cancel));
        }
        for (room, strangers) in self.matches.clone() {
            for name in strangers.iter().filter(|name| name.starts_with('r')) {
                let entry = Entry::Part { peer: PeerId::new(name).unwrap(), reason: EndReason::Bye };
                self.commit(Place::Channel(ChannelName::new(&room).unwrap()), entry);
            }
        }
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Match { stranger, pool } => self.search(stranger, pool, None),
            Op::Next { stranger, pool } => {
                let number = self.connected(stranger);
                let room = self.clients[number].rooms.keys().next().cloned();
                self.search(stranger, pool, room);
            }
            Op::Cancel { stranger, pool } => {
                let message = ClientMessage::CancelMatch { pool: POOLS[pool].into() };
                self.ask(stranger, message, Some((POOLS[pool], false)));
            }
            Op::Part { stranger } => {
                let number = self.connected(stranger);
                if let Some(room) = self.clients[number].rooms.keys().next().cloned() {
                    self.ask(stranger, ClientMessage::Part { channel: room.into() }, None);
                }
            }
            Op::Detach { stranger } => {
                let number = self.connected(stranger);
                self.clients[number].is_detached = true;
                self.feed(Input::Detached { session: SessionId(number as u32) });
            }
            Op::Resume { stranger } => {
                let number = self.connected(stranger);
                self.clients[number].is_detached = false;
                self.feed(Input::Resumed { session: SessionId(number as u32) });
            }
            Op::End { stranger } => {
                let number = self.connected(stranger);
                self.end(number);
            }
            Op::Remote { stranger, pool, what } => {
                if !self.log.fates.is_empty() {
                    self.remote(&format!("r{}", stranger % 3), POOLS[pool], what);
                }
            }
            Op::Wait { milliseconds } => self.wait(Duration::from_millis(milliseconds)),
        }
    }

    fn search(&mut self, stranger: usize, pool: usize, leave: Option<String>) {
        let leave = leave.map(Into::into);
        // Who waits already says something new about itself.
        let userdata = Some(Payload::NULL).filter(|_| self.ops.is_multiple_of(2));
        let message = ClientMessage::Match { pool: POOLS[pool].into(), userdata, leave };
        self.ask(stranger, message, Some((POOLS[pool], true)));
    }

    /// A client without a socket says nothing.
    fn ask(&mut self, stranger: usize, message: ClientMessage<'_>, asked: Option<(&'static str, bool)>) {
        let number = self.connected(stranger);
        let client = &mut self.clients[number];
        if client.is_detached {
            return;
        }
        let id = self.ops as u64;
        if let Some(asked) = asked {
            client.asked.insert(id, asked);
        }
        let id = asked.map(|_| RequestId::Number(id));
        let frame = ClientFrame { id, message };
        self.feed(Input::Message { session: SessionId(number as u32), frame });
    }

    fn remote(&mut self, name: &str, pool: &str, what: Remote) {
        let peer = PeerId::new(name).unwrap();
        let entry = match what {
            Remote::Match => {
                let room = self.next_room();
                let (identity, userdata) = (None, None);
                let avoid = vec![PeerId::new("a0").unwrap()];
                Entry::Match { peer, identity, userdata, avoid, room, settings: settings(pool) }
            }
            Remote::Widen => Entry::Widen { peer },
            Remote::Cancel => Entry::Cancel { peer },
        };
        self.commit(Place::Pool(PoolName::new(pool).unwrap()), entry);
    }

    /// The number of a stranger's session; it is a new one after its session has ended.
    fn connected(&mut self, stranger: usize) -> usize {
        let last = self.last_numbers.get(&stranger).copied();
        if let Some(number) = last.filter(|number| !self.clients[*number].is_over) {
            return number;
        }
        let number = self.clients.len();
        let name = if last.is_some() { format!("a{stranger}-{number}") } else { format!("a{stranger}") };
        self.clients.push(Client::new(&name));
        self.last_numbers.insert(stranger, number);
        self.numbers.insert(name.clone(), number);
        let peer = PeerId::new(&name).unwrap();
        self.feed(Input::Connected {
            session: SessionId(number as u32),
            peer,
            identity: None,
            namespace: None,
        });
        number
    }

    fn end(&mut self, number: usize) {
        self.clients[number].is_over = true;
        let session = SessionId(number as u32);
        self.feed(Input::Disconnected { session, reason: EndReason::Bye });
    }

    fn feed(&mut self, input: Input<'_>) {
        let (clients, outbox, told) = (&mut self.clients, &mut self.outbox, &mut self.told);
        self.hub.handle_input(self.now, input, |output| match output {
            Output::Send { to, message, .. } => {
                for session in to.iter() {
                    let client = &mut clients[session.0 as usize];
                    client.receive(&message);
                    if let crate::ServerMessage::Matched { channel, .. } = &message {
                        told.entry(channel.to_string()).or_default().insert(client.name.clone());
                    }
                    outbox.push(Said::Told(session));
                }
            }
            Output::Authorize { token, place, .. } => outbox.push(Said::Asks(token, place.clone())),
            Output::Append { token, place, entry } => outbox.push(Said::Appends(token, place, entry)),
            Output::Ended { session, .. } => clients[session.0 as usize].is_over = true,
            Output::Joined { .. } | Output::Parted { .. } => {}
            Output::Hold { .. } | Output::Release { .. } | Output::Close { .. } => {}
        });
        for said in std::mem::take(&mut self.outbox) {
            match said {
                Said::Told(session) => self.clients[session.0 as usize].check_at_rest(),
                Said::Asks(token, place) => {
                    let Fate { delay, refused } = self.policy.next();
                    self.questions.push((self.ops + delay, refused, token, place));
                }
                Said::Appends(token, place, entry) => {
                    let Fate { delay, refused } = self.log.next();
                    self.appends.push((self.ops + delay, refused, token, place, entry));
                }
            }
        }
        if self.log.fates.is_empty() {
            self.answer(false);
        }
    }

    /// Lets the policy and the log answer what is due.
    fn answer(&mut self, at_once: bool) {
        loop {
            let now = self.ops;
            let is_due = |due: usize| at_once || due <= now;
            if let Some(index) = self.questions.iter().position(|question| is_due(question.0)) {
                let (_, refused, token, place) = self.questions.remove(index);
                if refused && !at_once {
                    let (code, message) = (ErrorCode::Unauthorized, "no");
                    self.feed(Input::Denied { token, code, message });
                } else {
                    let Place::Pool(pool) = place else { panic!("nobody joins by name") };
                    let (room, settings) = (self.next_room(), settings(pool.as_str()));
                    let grant = MatchGrant { settings, patience: PATIENCE };
                    self.feed(Input::Authorized { token, grant: Grant::Match { grant, room } });
                }
            } else if let Some(index) = self.appends.iter().position(|append| is_due(append.0)) {
                let (_, refused, token, place, entry) = self.appends.remove(index);
                if refused && !at_once {
                    self.feed(Input::Refused { token });
                } else {
                    self.commit(place, entry);
                }
            } else {
                return;
            }
        }
    }

    fn commit(&mut self, place: Place, entry: Entry) {
        let text = serde_json::to_string(&entry).unwrap();
        let entry: Entry = serde_json::from_str(&text).unwrap();
        if let Place::Pool(pool) = &place {
            self.follow(pool.as_str(), &entry);
        }
        let position = self.next_position();
        self.feed(Input::Committed { place, position, entry });
    }

    /// What the log makes of the pool, worked out the simplest way.
    fn follow(&mut self, pool: &str, entry: &Entry) {
        let (waiting, now) = (self.pools.entry(pool.to_owned()).or_default(), self.now);
        let name = entry.peer().to_string();
        match (waiting.iter_mut().find(|other| other.name == name), entry) {
            (_, Entry::Cancel { .. }) => return waiting.retain(|other| other.name != name),
            (None, Entry::Match { avoid, .. }) => {
                let avoid = avoid.iter().map(ToString::to_string).collect();
                waiting.push(Waiting { name: name.clone(), since: now, avoid });
            }
            (Some(own), Entry::Widen { .. }) => own.avoid.clear(),
            (Some(_), _) | (None, _) => return,
        }
        let own = waiting.iter().find(|one| one.name == name).unwrap();
        let others: Vec<_> = waiting.iter().filter(|other| may_meet(own, other)).collect();
        let found = match pool {
            "trio" => others.iter().enumerate().find_map(|(index, second)| {
                let third = others[index + 1..].iter().find(|third| may_meet(second, third))?;
                Some(vec![&own.name, &second.name, &third.name])
            }),
            _ => others.first().map(|second| vec![&own.name, &second.name]),
        };
        let Some(found) = found else { return };
        let found: BTreeSet<_> = found.into_iter().cloned().collect();
        waiting.retain(|one| !found.contains(&one.name));
        let room =
            if let Entry::Match { room, .. } = entry { room.to_string() } else { self.room_of(pool, &name) };
        assert!(self.matches.insert(room, found).is_none(), "a fresh channel");
    }

    /// The channel that the ticket of one who waits names.
    fn room_of(&self, pool: &str, name: &str) -> String {
        let pool = self.hub.pool(pool).unwrap();
        pool.ticket(&PeerId::new(name).unwrap()).unwrap().room.to_string()
    }

    fn check(&self) {
        for pool in POOLS {
            let tickets = self.hub.pool(pool).map_or(&[][..], |pool| pool.tickets());
            let waiting = self.pools.get(pool).map_or(&[][..], |waiting| waiting);
            assert!(
                tickets.iter().map(|ticket| ticket.peer.as_str()).eq(waiting.iter().map(|one| &*one.name))
            );
            self.check_who_waits(pool, waiting);
        }
        assert_eq!(self.hub.pool("nowhere"), None);
    }

    /// Nobody waits while another waits whom he may meet; and after 3 s that is everybody.
    fn check_who_waits(&self, pool: &str, waiting: &[Waiting]) {
        for (index, one) in waiting.iter().enumerate() {
            if pool != "trio" {
                let others = waiting[index + 1..].iter();
                assert!(others.filter(|other| may_meet(one, other)).count() == 0, "{} waits", one.name);
            }
            if self.log.fates.is_empty() {
                let waited = self.now - one.since;
                let client = &self.clients[self.numbers[&one.name]];
                assert!(client.waits.contains(pool) && !client.is_detached && !client.is_over);
                assert!(waited < PATIENCE, "{} waits for {waited:?}", one.name);
                assert!(one.avoid.is_empty() || waited < Duration::from_secs(3), "{} is choosy", one.name);
            }
        }
        let is_open = |one: &&Waiting| one.avoid.is_empty();
        assert!(waiting.iter().filter(is_open).count() < settings(pool).capacity as usize);
    }

    /// Each match is told to all of this machine who are in it, or to those of them who still want it.
    fn check_matches(&self) {
        for (room, strangers) in &self.matches {
            let told = self.told.get(room);
            if self.log.fates.is_empty() {
                assert_eq!(told, Some(strangers), "{room}");
            }
            assert!(told.is_none_or(|told| told.is_subset(strangers)), "{room}: {told:?} of {strangers:?}");
        }
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

    fn come_to_rest(&mut self) {
        self.answer(true);
        // Some wait for company that never comes, until their time is up.
        while let Some(deadline) = self.hub.poll_timeout() {
            self.wait(deadline - self.now);
            self.answer(true);
        }
        self.check_matches();
    }

    fn next_position(&mut self) -> Position {
        self.position += 1;
        Position(self.position)
    }

    fn next_room(&mut self) -> ChannelName {
        self.rooms += 1;
        ChannelName::new(&format!("~{}", self.rooms)).unwrap()
    }
}

fn may_meet(one: &Waiting, other: &Waiting) -> bool {
    one.name != other.name && !one.avoid.contains(&other.name) && !other.avoid.contains(&one.name)
}

impl Fates {
    fn next(&mut self) -> Fate {
        let fate = self.fates.get(self.used % self.fates.len().max(1)).copied();
        self.used += 1;
        fate.unwrap_or(Fate { delay: 0, refused: false })
    }
}
