//! What those cost who are just there, and whether others who talk meanwhile cost more because of them.

use std::time::{Duration, Instant};

use super::{
    GLANCE, gather, microseconds,
    relay::{Pace, Paced},
};
use crate::{Result, fleet::Fleet, inbox::Inbox, report::Figure, server::Server};

/// The first of them make up the `pairs` that talk.
pub(super) fn run(server: &Server, connections: usize, pairs: usize, pace: Pace) -> Result<Vec<Figure>> {
    let mut inbox = Inbox::default();
    let (memory, cpu) = (server.memory()?, server.cpu()?);
    let (mut fleet, introductions) = gather::pairs(server, connections)?;
    let cpu = server.cpu()? - cpu;
    fleet.settle(&mut inbox)?;
    let memory = server.memory()? - memory;

    let before = server.cpu()?;
    rest(&mut fleet, &mut inbox, pace.time)?;
    let resting = server.cpu()? - before;
    let mut paced = Paced::new(&fleet, &introductions[..2 * pairs]);
    let measured = paced.run(server, &mut fleet, &mut inbox, pace, |_| Ok(()), gather::unexpected_frame)?;
    fleet.settle(&mut inbox)?;

    // Both took the same time, and heartbeats of those who are there go on.
    let talking = measured.cost.cpu.saturating_sub(resting);
    let resting = microseconds(resting) / pace.time.as_secs_f64();
    let connections = connections as f64;
    Ok(vec![
        Figure::new("memory per connection", "KiB", memory / connections / 1024.0),
        Figure::new("CPU to connect and join", "µs", microseconds(cpu) / connections),
        Figure::new("CPU of all that rest", "µs/s", resting),
        Figure::new("CPU per message", "µs", microseconds(talking) / f64::from(measured.messages)),
        Figure::new("latency, 99 %", "µs", measured.percentile(0.99)),
    ])
}

/// Nothing is sent, and nothing but heartbeats may come.
fn rest(fleet: &mut Fleet, inbox: &mut Inbox, time: Duration) -> Result<()> {
    let until = Instant::now() + time;
    while let Some(rest) = until.checked_duration_since(Instant::now()) {
        fleet.receive(inbox, rest.min(GLANCE))?;
        inbox.frames().try_for_each(|(client, text)| gather::unexpected_frame(client, text))?;
    }
    Ok(())
}
