//! Everybody joins one channel at once, and must be introduced to everybody.

use std::time::Instant;

use super::{GLANCE, gather, microseconds};
use crate::{
    Result,
    dialect::{Dialect, Heard, Introduction, Signal, literal},
    inbox::Inbox,
    report::Figure,
    server::Server,
};

pub(super) fn run(server: &Server, members: usize, times: usize) -> Result<Vec<Figure>> {
    let mut fleet = gather::connect(server, members)?;
    let mut inbox = Inbox::default();
    let (mut time, mut cpu) = (Vec::new(), Vec::new());
    for storm in 0..times {
        let mut told = vec![Vec::new(); members];
        let (start, cpu_before) = (Instant::now(), server.cpu()?);
        for client in 0..members {
            let join = format!(
                r#"{{"type":"join","id":{client},"channel":"storm-{storm}","userdata":{{"n":{client}}}}}"#
            );
            fleet.send(client, join.as_bytes())?;
        }
        // One `joined` for each, and all the `addPeer`. They are kept, to be looked into when the clock stands.
        let mut missing = members * members;
        while missing > 0 {
            fleet.receive(&mut inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                told[client].push(String::from_utf8_lossy(text).into_owned());
                missing = missing.checked_sub(1).ok_or_else(|| gather::unexpected(client, text))?;
            }
        }
        time.push(start.elapsed());
        cpu.push(server.cpu()? - cpu_before);
        fleet.settle(&mut inbox)?;
        verify(storm, &told)?;
    }
    time.sort_unstable();
    cpu.sort_unstable();
    let milliseconds = |sorted: &[_]| microseconds(sorted[sorted.len() / 2]) / 1e3;
    Ok(vec![
        Figure::new("time until all are introduced", "ms", milliseconds(&time)),
        Figure::new("CPU", "ms", milliseconds(&cpu)),
    ])
}

/// Each pair is introduced once, on both sides, with one offerer and the same connection id. Who was there is told
/// right after `joined`, and is to be called; who comes later calls.
fn verify(storm: usize, told: &[Vec<String>]) -> Result<()> {
    let members = told.len();
    let mut introductions: Vec<Vec<Option<Introduction>>> = Vec::new();
    for (client, frames) in told.iter().enumerate() {
        let [joined, introduced @ ..] = &frames[..] else { return Err("nothing for a client".into()) };
        let head = format!(r#"{{"type":"joined","id":{client},"channel":"storm-{storm}","peers":"#);
        let peers = joined.strip_prefix(&head).and_then(|rest| rest.strip_suffix('}'));
        let peers: usize = peers.ok_or_else(|| gather::unexpected(client, joined.as_bytes()))?.parse()?;
        let mut known: Vec<Option<Introduction>> = Vec::new();
        known.resize_with(members, || None);
        for (position, text) in introduced.iter().enumerate() {
            let unexpected = || gather::unexpected(client, text.as_bytes());
            let Some(Heard::Introduced(introduction)) = Signal.hear(text) else { return Err(unexpected()) };
            let other: usize = literal(text, "n").ok_or_else(unexpected)?.parse()?;
            if introduction.should_create_offer != (position < peers) || other == client {
                return Err(unexpected());
            }
            let place = known.get_mut(other).ok_or_else(unexpected)?;
            if place.replace(introduction).is_some() {
                return Err(format!("client {client}: told twice: {text}").into());
            }
        }
        introductions.push(known);
    }
    for (a, b) in (0..members).flat_map(|b| (0..b).map(move |a| (a, b))) {
        let (Some(ab), Some(ba)) = (&introductions[a][b], &introductions[b][a]) else {
            return Err(format!("clients {a} and {b} are not introduced").into());
        };
        if ab.connection_id != ba.connection_id || ab.should_create_offer == ba.should_create_offer {
            return Err(format!("clients {a} and {b} are not told the same: {ab:?}, {ba:?}").into());
        }
    }
    Ok(())
}
