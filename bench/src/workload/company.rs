//! What it costs to speak where many are: to one of them, and to all.
//!
//! The clients are the same however large their channels are. Neighbours are always in the same ones.

use std::{
    iter,
    time::{Duration, Instant},
};

use signal_axum::Rates;

use super::{
    GLANCE, gather,
    relay::{Measured, Pace, Paced, WARM_UP},
};
use crate::{
    Result,
    dialect::{Heard, Introduction, literal, signal},
    fleet::Fleet,
    inbox::Inbox,
    meter::Meter,
    report::Figure,
    server::Server,
};

/// A number that the members of every channel divide.
pub(super) const CLIENTS: usize = 512;

/// Whether those who send to channels of so many are over their rate if so many messages a second arrive.
pub(super) fn is_beyond(rates: &Rates, members: usize, rate: u32) -> bool {
    let senders = CLIENTS / members;
    rate as usize / (members - 1) / senders > rates.messages as usize
}

/// Each client is in `channels` channels of so many `members`, and sends to its neighbour alone.
pub(super) fn relay(server: &Server, members: usize, channels: usize, pace: Pace) -> Result<Vec<Figure>> {
    let mut fleet = gather::connect(server, CLIENTS)?;
    let mut inbox = Inbox::default();
    let mut neighbours = Vec::new();
    for channel in 0..channels {
        neighbours = seat(&mut fleet, &mut inbox, &format!("company-{channel}"), members)?;
        fleet.settle(&mut inbox)?;
    }
    // By the introduction in the last of the channels.
    let mut paced = Paced::new(&fleet, &neighbours);
    let measured = paced.run(server, &mut fleet, &mut inbox, pace, |_| Ok(()), gather::unexpected_frame)?;
    fleet.settle(&mut inbox)?;
    Ok(vec![
        Figure::new("CPU per message", "µs", measured.per_message()),
        Figure::new("latency, 99 %", "µs", measured.percentile(0.99)),
    ])
}

/// The first client of each channel sends to all in it. So many messages arrive a second in all as `pace` says, however
/// many get the same one.
pub(super) fn broadcast(server: &Server, members: usize, pace: Pace) -> Result<Vec<Figure>> {
    let mut fleet = gather::connect(server, CLIENTS)?;
    let mut inbox = Inbox::default();
    let neighbours = seat(&mut fleet, &mut inbox, "company", members)?;
    fleet.settle(&mut inbox)?;
    let channel = |client: usize| format!("company-{}", client / members);
    let mut own: Vec<_> =
        (0..CLIENTS / members).map(|number| signal::to_channel(&channel(number * members))).collect();
    // What the first one of a channel is called, its neighbour knows.
    let sender = |client: usize| &neighbours[client / members * members + 1].peer_id;
    let mut expected: Vec<_> =
        (0..CLIENTS).map(|client| signal::from_channel(&channel(client), sender(client))).collect();

    let recipients = members - 1;
    let messages = |time: Duration| (time.as_secs_f64() * f64::from(pace.rate) / recipients as f64) as usize;
    let (warm_up, total) = (messages(WARM_UP), messages(WARM_UP + pace.time));
    let start = Instant::now();
    let due = |message: usize| {
        start + Duration::from_secs_f64((message * recipients) as f64 / f64::from(pace.rate))
    };
    let (mut sent, mut received, mut heard) = (0, 0, vec![0; CLIENTS]);
    let (mut meter, mut latencies) = (None, Vec::new());
    while received < total * recipients {
        while sent < total && due(sent) <= Instant::now() {
            if sent == warm_up {
                meter = Some(Meter::start(server)?);
            }
            let speaking = sent % own.len();
            fleet.send(speaking * members, own[speaking].next())?;
            sent += 1;
        }
        let patience = if sent < total { Duration::ZERO } else { GLANCE };
        fleet.receive(&mut inbox, patience)?;
        for (client, text) in inbox.frames() {
            if client % members == 0 {
                return Err(gather::unexpected(client, text));
            }
            expected[client].check(text)?;
            let message = client / members + heard[client] * own.len();
            heard[client] += 1;
            received += 1;
            if message >= warm_up {
                latencies.push(due(message).elapsed());
            }
        }
    }
    let cost = meter.ok_or("nothing to measure")?.stop()?;
    let measured = Measured::new(cost, latencies);
    fleet.settle(&mut inbox)?;
    Ok(vec![
        Figure::new("CPU per recipient", "µs", measured.per_message()),
        Figure::new("latency, 99 %", "µs", measured.percentile(0.99)),
    ])
}

/// Seats all in channels of so many, at once. What each has been told about its neighbour.
fn seat(fleet: &mut Fleet, inbox: &mut Inbox, name: &str, members: usize) -> Result<Vec<Introduction>> {
    for client in 0..fleet.len() {
        let channel = client / members;
        let join = format!(r#"{{"type":"join","channel":"{name}-{channel}","userdata":{{"n":{client}}}}}"#);
        fleet.send(client, join.as_bytes())?;
    }
    let mut told: Vec<Option<Introduction>> = iter::repeat_with(|| None).take(fleet.len()).collect();
    // One `joined` for each, and all the `addPeer`.
    let mut missing = fleet.len() * members;
    while missing > 0 {
        fleet.receive(inbox, GLANCE)?;
        for (client, text) in inbox.frames() {
            missing = missing.checked_sub(1).ok_or_else(|| gather::unexpected(client, text))?;
            let text = str::from_utf8(text)?;
            let unexpected = || gather::unexpected(client, text.as_bytes());
            let introduction = match fleet.dialect.hear(text) {
                Some(Heard::Introduced(introduction)) => introduction,
                Some(Heard::Joined) => continue,
                Some(Heard::Welcome(_) | Heard::Left) | None => return Err(unexpected()),
            };
            let other: usize = literal(text, "n").ok_or_else(unexpected)?.parse()?;
            if other == client ^ 1 && told[client].replace(introduction).is_some() {
                return Err(unexpected());
            }
        }
    }
    let told: Vec<_> = told.into_iter().flatten().collect();
    if told.len() < fleet.len() { Err("not all neighbours are introduced".into()) } else { Ok(told) }
}
