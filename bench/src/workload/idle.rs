//! What a connection costs that is just there, before and after it was used for a call.

use std::time::Instant;

use super::{call::Pairs, gather, microseconds};
use crate::{
    Result,
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
    let (mut fleet, introductions) = gather::pairs(server, connections)?;
    let gathered = start.elapsed();
    let (joined, cpu_joined) = (server.memory()?, server.cpu()?);
    fleet.settle(&mut inbox)?;
    let (settled, cpu_settled) = (server.memory()?, server.cpu()?);

    Pairs::new(fleet.dialect, &introductions).call(&mut fleet, &mut inbox, connections / 2)?;
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

/// 10,000 bytes, with sessions, heartbeats, rates, bounds, metrics and the log.
const MOST_MEMORY: Bound = Bound::AtMost(10_000.0 / 1024.0);
/// From the connection to the channel.
const LEAST_A_SECOND: Bound = Bound::AtLeast(2_000.0);
