//! What a call costs: an offer, an answer and candidates both ways, over connections that stay, or over fresh ones.

mod fresh;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{GLANCE, gather, microseconds};
use crate::{
    Result,
    dialect::{Dialect, Introduction, Numbered, Payload},
    fleet::{ACK_EVERY, Fleet},
    inbox::Inbox,
    meter::{Cost, Meter},
    report::Figure,
    server::Server,
    validity,
};
pub(super) use fresh::fresh;

/// So many calls of pairs that stay in their channels, one pair after the other.
pub(super) fn persistent(server: &Server, pairs: usize, calls: usize) -> Result<Vec<Figure>> {
    let (mut fleet, introductions) = gather::pairs(server, 2 * pairs)?;
    let mut inbox = Inbox::default();
    let mut pairs = Pairs::new(fleet.dialect, &introductions);
    pairs.call(&mut fleet, &mut inbox, WARM_UP)?;
    let meter = Meter::start(server)?;
    let start = Instant::now();
    pairs.call(&mut fleet, &mut inbox, calls)?;
    let (time, cost) = (start.elapsed(), meter.stop()?);
    fleet.settle(&mut inbox)?;
    Ok(figures(calls, time, &cost, 0))
}

/// How many messages a client sends if that many calls are made, the join and acknowledgements included.
pub(super) fn most_messages(pairs: usize, calls: usize) -> usize {
    let messages = 1 + (WARM_UP + calls).div_ceil(pairs) * MESSAGES;
    messages + messages / ACK_EVERY as usize
}

/// `connections` are those that were opened for it.
fn figures(calls: usize, time: Duration, cost: &Cost, connections: usize) -> Vec<Figure> {
    let mut figures = vec![
        Figure::new("CPU per call", "µs", microseconds(cost.cpu) / calls as f64),
        Figure::new("calls per second", "1/s", calls as f64 / time.as_secs_f64()),
    ];
    figures.extend(validity::of_calls(cost, connections as u64));
    figures
}

/// Clients that call each other, neighbours together.
pub(super) struct Pairs(Vec<Party>);

impl Pairs {
    /// The clients of a fleet, one for each introduction.
    pub(super) fn new(dialect: &dyn Dialect, introductions: &[Introduction]) -> Self {
        // No two pairs say the same.
        let party = |(client, other)| Party::new(dialect, (client / 2) as u32 * NUMBERS, other);
        Self(introductions.iter().enumerate().map(party).collect())
    }

    /// So many calls, of one pair after the other. Nobody makes two at once.
    pub(super) fn call(&mut self, fleet: &mut Fleet, inbox: &mut Inbox, calls: usize) -> Result<()> {
        let parties = &mut self.0;
        let mut idle: VecDeque<_> = (0..parties.len() / 2).collect();
        let (mut begun, mut missing) = (0, calls);
        while missing > 0 {
            while begun < calls
                && begun + missing < calls + AT_ONCE
                && let Some(pair) = idle.pop_front()
            {
                begun += 1;
                for client in [2 * pair, 2 * pair + 1] {
                    parties[client].begin(fleet, client)?;
                }
            }
            fleet.receive(inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                parties[client].hear(fleet, client, text)?;
                if parties[client].has_heard_all() && parties[client ^ 1].has_heard_all() {
                    missing -= 1;
                    idle.push_back(client / 2);
                }
            }
        }
        Ok(())
    }
}

/// One side of a call.
struct Party {
    offers: bool,
    own: [Numbered; 2],
    expected: [Numbered; 2],
    /// What must still come in this call.
    missing: usize,
}

impl Party {
    /// What it says and hears counts from `number`.
    fn new(dialect: &dyn Dialect, number: u32, other: &Introduction) -> Self {
        let offers = other.should_create_offer;
        let (own, expected) =
            if offers { (Payload::Offer, Payload::Answer) } else { (Payload::Answer, Payload::Offer) };
        let relay = |payload| dialect.relay(payload, other).starting_at(number);
        let relayed = |payload| dialect.relayed(payload, other).starting_at(number);
        Self {
            offers,
            own: [relay(own), relay(Payload::Candidate)],
            expected: [relayed(expected), relayed(Payload::Candidate)],
            missing: 0,
        }
    }

    fn begin(&mut self, fleet: &mut Fleet, client: usize) -> Result<()> {
        self.missing = MESSAGES;
        if self.offers { self.speak(fleet, client) } else { Ok(()) }
    }

    /// The description comes first, and is answered.
    fn hear(&mut self, fleet: &mut Fleet, client: usize, text: &[u8]) -> Result<()> {
        let is_first = self.missing == MESSAGES;
        let [description, candidate] = &mut self.expected;
        if is_first { description } else { candidate }.check(text)?;
        self.missing = self.missing.checked_sub(1).ok_or_else(|| gather::unexpected(client, text))?;
        if is_first && !self.offers { self.speak(fleet, client) } else { Ok(()) }
    }

    fn has_heard_all(&self) -> bool {
        self.missing == 0
    }

    /// Sends the description and the candidates.
    fn speak(&mut self, fleet: &mut Fleet, client: usize) -> Result<()> {
        let [description, candidate] = &mut self.own;
        fleet.send(client, description.next())?;
        (0..CANDIDATES).try_for_each(|_| fleet.send(client, candidate.next()))
    }
}

/// What each side says in a call: a description and its candidates.
const MESSAGES: usize = 1 + CANDIDATES;
const CANDIDATES: usize = 10;
/// Calls that are made at once.
pub(super) const AT_ONCE: usize = 16;
/// Calls before anything is measured: what is compiled while it runs needs some.
const WARM_UP: usize = 500;
/// So many numbers are for each pair: more candidates than it sends.
const NUMBERS: u32 = 10_000;
