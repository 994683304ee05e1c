//! What stays of channels that are empty again.

use super::{GLANCE, gather, microseconds};
use crate::{
    Result,
    fleet::Fleet,
    gauges,
    inbox::Inbox,
    promise::{Bound, Steadiness},
    report::Figure,
    server::Server,
};

/// Each joins one channel after the other, and parts it at once.
pub(super) const CLIENTS: usize = 64;

/// Of a million channels: 20 MB.
const MOST_THAT_STAYS: Bound = Bound::AtMost(20e6 / (1 << 20) as f64);

/// So many channels before anything is measured, so that buffers have found their size.
const WARM_UP: u32 = 10_000;

pub(super) fn run(server: &Server, channels: u32) -> Result<Vec<Figure>> {
    let mut fleet = gather::connect(server, CLIENTS)?;
    let mut inbox = Inbox::default();
    pass_through(&mut fleet, &mut inbox, 0..WARM_UP)?;
    let (memory, cpu) = (server.memory()?, server.cpu()?);
    pass_through(&mut fleet, &mut inbox, WARM_UP..WARM_UP + channels)?;
    let (cpu, memory) = (server.cpu()? - cpu, server.memory()? - memory);
    gauges::wait_until_no_channel(server, gather::CLEARING)?;
    gather::leave(server, fleet)?;
    Ok(vec![
        Figure::new("memory that stays", "MiB", memory / f64::from(1 << 20))
            .promised(MOST_THAT_STAYS, Steadiness::Steady),
        Figure::new("CPU per join and part", "µs", microseconds(cpu) / f64::from(channels)),
    ])
}

/// Somebody joins and parts each of the channels.
fn pass_through(fleet: &mut Fleet, inbox: &mut Inbox, mut channels: std::ops::Range<u32>) -> Result<()> {
    let mut current: Vec<Option<u32>> = vec![None; fleet.len()];
    let mut missing = channels.len();
    for client in 0..fleet.len() {
        enter(fleet, client, &mut channels, &mut current)?;
    }
    while missing > 0 {
        fleet.receive(inbox, GLANCE)?;
        for (client, text) in inbox.frames() {
            let channel = current[client].ok_or_else(|| gather::unexpected(client, text))?;
            if text == format!(r#"{{"type":"joined","channel":"churn-{channel}","peers":0}}"#).as_bytes() {
                continue;
            }
            if text != format!(r#"{{"type":"parted","channel":"churn-{channel}"}}"#).as_bytes() {
                return Err(gather::unexpected(client, text));
            }
            missing -= 1;
            enter(fleet, client, &mut channels, &mut current)?;
        }
    }
    fleet.settle(inbox)
}

fn enter(
    fleet: &mut Fleet,
    client: usize,
    channels: &mut std::ops::Range<u32>,
    current: &mut [Option<u32>],
) -> Result<()> {
    current[client] = channels.next();
    let Some(channel) = current[client] else { return Ok(()) };
    for kind in ["join", "part"] {
        let text = format!(r#"{{"type":"{kind}","channel":"churn-{channel}"}}"#);
        fleet.send(client, text.as_bytes())?;
    }
    Ok(())
}
