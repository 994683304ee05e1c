//! Getting clients into the server, and into channels of two.

use std::{iter, time::Duration};

use crate::{
    Result,
    dialect::{Heard, Introduction},
    fleet::Fleet,
    gauges,
    inbox::Inbox,
    server::Server,
    workload::{GLANCE, meeting::Meeting},
};

/// Connects clients until they are welcome.
pub(super) fn connect(server: &Server, connections: usize) -> Result<Fleet> {
    let mut fleet = Fleet::new(server.address, server.dialect)?;
    let mut inbox = Inbox::default();
    while fleet.len() < connections {
        let mut missing = AT_ONCE.min(connections - fleet.len());
        iter::repeat_with(|| fleet.connect("")).take(missing).collect::<Result<()>>()?;
        while missing > 0 {
            fleet.receive(&mut inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                match fleet.dialect.hear(str::from_utf8(text)?) {
                    Some(Heard::Welcome(_)) => missing -= 1,
                    Some(Heard::Joined | Heard::Introduced(_) | Heard::Left) | None => {
                        return Err(unexpected(client, text));
                    }
                }
            }
        }
    }
    Ok(fleet)
}

/// Connects clients, and seats them in channels of two, neighbours together. What each knows about its neighbour.
pub(super) fn pairs(server: &Server, connections: usize) -> Result<(Fleet, Vec<Introduction>)> {
    let mut fleet = Fleet::new(server.address, server.dialect)?;
    let mut known = Vec::new();
    let mut inbox = Inbox::default();
    while fleet.len() < connections {
        let first = fleet.len();
        let mut missing = AT_ONCE.min(connections - first) / 2;
        let mut meetings: Vec<_> =
            (0..missing).map(|pair| Meeting::new(format!("pair-{}", first / 2 + pair))).collect();
        let mut introduced: Vec<_> = iter::repeat_with(|| None).take(missing).collect();
        for meeting in &meetings {
            fleet.connect(meeting.channel())?;
            fleet.connect(meeting.channel())?;
        }
        while missing > 0 {
            fleet.receive(&mut inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                let pair = client.checked_sub(first).ok_or_else(|| unexpected(client, text))? / 2;
                if let Some(introductions) = meetings[pair].hear(&mut fleet, client, text)? {
                    introduced[pair] = Some(introductions);
                    missing -= 1;
                }
            }
        }
        known.extend(introduced.into_iter().flatten().flatten());
    }
    Ok((fleet, known))
}

/// All go, every other one without saying so, and nothing may be left of them once their grace time is over.
pub(super) fn leave(server: &Server, mut fleet: Fleet) -> Result<()> {
    if server.metrics.is_none() {
        return Ok(());
    }
    if let Some(farewell) = fleet.dialect.farewell() {
        (0..fleet.len()).step_by(2).try_for_each(|client| fleet.send_aside(client, farewell))?;
    }
    drop(fleet);
    gauges::wait_until_empty(server, server.grace + CLEARING)
}

pub(super) fn unexpected(client: usize, text: &[u8]) -> Box<dyn std::error::Error + Send + Sync> {
    format!("client {client}: unexpected: {}", String::from_utf8_lossy(text)).into()
}

/// Where no other client may hear anything.
pub(super) fn unexpected_frame(client: usize, text: &[u8]) -> Result<()> {
    Err(unexpected(client, text))
}

/// How long a server may take to clear away what is over.
pub(super) const CLEARING: Duration = Duration::from_secs(10);

/// Clients that connect and join at once. An even number, and below the backlog of any server.
const AT_ONCE: usize = 64;
