//! What a connection costs that is just there, before and after it was used for a call.

use std::time::Instant;

use super::{GLANCE, gather, microseconds};
use crate::{
    Result,
    dialect::{Dialect, Introduction, Numbered, Payload},
    fleet::Fleet,
    inbox::Inbox,
    promise::{Bound, Steadiness},
    report::Figure,
    server::Server,
};

pub(super) fn run(server: &Server, connections: usize) -> Result<Vec<Figure>> {
    let mut inbox = Inbox::default();
    let (memory_before, cpu_before) = (server.memory()?, server.cpu()?);
    let kilobytes = |memory: f64| (memory - memory_before) / connections as f64 / 1024.0;

    let start = Instant::now();
    let mut fleet = gather::connect(server, connections)?;
    let introductions = gather::pair(&mut fleet)?;
    let gathered = start.elapsed();
    let (joined, cpu_joined) = (server.memory()?, server.cpu()?);
    fleet.settle(&mut inbox)?;
    let (settled, cpu_settled) = (server.memory()?, server.cpu()?);

    for start in (0..connections).step_by(AT_ONCE) {
        let end = connections.min(start + AT_ONCE);
        call(&mut fleet, &mut inbox, start, &introductions[start..end])?;
    }
    let cpu_called = server.cpu()?;
    fleet.settle(&mut inbox)?;
    let called = server.memory()?;
    gather::leave(server, fleet)?;

    let calls = (connections / 2) as u32;
    Ok(vec![
        Figure::new("connections per second, joined", "1/s", connections as f64 / gathered.as_secs_f64())
            .promised(LEAST_A_SECOND, Steadiness::Timed),
        Figure::new("memory per connection, just joined", "KiB", kilobytes(joined)),
        Figure::new("memory per connection, settled", "KiB", kilobytes(settled))
            .promised(MOST_MEMORY, Steadiness::Steady),
        Figure::new("memory per connection, after a call", "KiB", kilobytes(called)),
        Figure::new(
            "CPU per connection: connect, join",
            "µs",
            microseconds((cpu_joined - cpu_before) / connections as u32),
        ),
        Figure::new("CPU per call", "µs", microseconds((cpu_called - cpu_settled) / calls)),
    ])
}

/// One side of a call.
struct Party {
    offers: bool,
    own: [Numbered; 2],
    expected: [Numbered; 2],
    received: usize,
}

impl Party {
    fn new(dialect: Dialect, client: usize, other: &Introduction) -> Self {
        let offers = other.should_create_offer;
        let (own, expected) =
            if offers { (Payload::Offer, Payload::Answer) } else { (Payload::Answer, Payload::Offer) };
        // No two pairs say the same.
        let number = (client / 2 * CANDIDATES) as u32;
        let relay = |payload| dialect.relay(payload, other).starting_at(number);
        let relayed = |payload| dialect.relayed(payload, other).starting_at(number);
        Self {
            offers,
            own: [relay(own), relay(Payload::Candidate)],
            expected: [relayed(expected), relayed(Payload::Candidate)],
            received: 0,
        }
    }

    /// Sends the description and the candidates.
    fn speak(&mut self, fleet: &mut Fleet, client: usize) -> Result<()> {
        let [description, candidate] = &mut self.own;
        fleet.send(client, description.next())?;
        (0..CANDIDATES).try_for_each(|_| fleet.send(client, candidate.next()))
    }
}

/// Neighbours call each other, all at once; `first` is the first of these clients.
fn call(fleet: &mut Fleet, inbox: &mut Inbox, first: usize, introductions: &[Introduction]) -> Result<()> {
    let dialect = fleet.dialect;
    let parties = introductions.iter().enumerate();
    let mut parties: Vec<_> =
        parties.map(|(index, other)| Party::new(dialect, first + index, other)).collect();
    for (index, party) in parties.iter_mut().enumerate().filter(|(_, party)| party.offers) {
        party.speak(fleet, first + index)?;
    }
    let mut missing = parties.len() * (1 + CANDIDATES);
    while missing > 0 {
        fleet.receive(inbox, GLANCE)?;
        for (client, text) in inbox.frames() {
            let party = client.checked_sub(first).and_then(|index| parties.get_mut(index));
            let party = party.ok_or_else(|| gather::unexpected(client, text))?;
            let [description, candidate] = &mut party.expected;
            let is_first = party.received == 0;
            if is_first { description } else { candidate }.check(text)?;
            party.received += 1;
            missing = missing.checked_sub(1).ok_or_else(|| gather::unexpected(client, text))?;
            if is_first && !party.offers {
                party.speak(fleet, client)?;
            }
        }
    }
    Ok(())
}

/// 10,000 bytes, with sessions, heartbeats, rates, bounds, metrics and the log.
const MOST_MEMORY: Bound = Bound::AtMost(10_000.0 / 1024.0);
/// From the connection to the channel.
const LEAST_A_SECOND: Bound = Bound::AtLeast(2_000.0);
/// Clients that make a call at once. An even number.
const AT_ONCE: usize = 128;
/// ICE candidates of each side of a call.
const CANDIDATES: usize = 10;
