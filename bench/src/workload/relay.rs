//! What a relayed message costs, and how long it takes.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{GLANCE, gather, microseconds};
use signal_axum::Rates;

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

/// One client of a pair.
struct Line {
    own: Numbered,
    expected: Numbered,
}

impl Line {
    fn new(dialect: &dyn Dialect, other: &Introduction) -> Self {
        Self {
            own: dialect.relay(Payload::Candidate, other),
            expected: dialect.relayed(Payload::Candidate, other),
        }
    }
}

/// Each client sends one candidate, and another one for each that it gets: two are under way in each pair.
pub(super) fn closed(server: &Server, pairs: usize, time: Duration) -> Result<Vec<Figure>> {
    let (mut fleet, introductions) = gather::pairs(server, 2 * pairs)?;
    let mut lines: Vec<_> = introductions.iter().map(|other| Line::new(fleet.dialect, other)).collect();
    let mut inbox = Inbox::default();
    for (client, line) in lines.iter_mut().enumerate() {
        fleet.send(client, line.own.next())?;
    }
    let mut exchange = |until: Option<Instant>| -> Result<u64> {
        let (mut received, mut under_way) = (0, lines.len());
        while under_way > 0 && until.is_none_or(|until| Instant::now() < until) {
            fleet.receive(&mut inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                let line = &mut lines[client];
                line.expected.check(text)?;
                received += 1;
                match until {
                    Some(_) => fleet.send(client, line.own.next())?,
                    None => under_way -= 1,
                }
            }
        }
        if until.is_none() {
            fleet.settle(&mut inbox)?;
        }
        Ok(received)
    };
    exchange(Some(Instant::now() + WARM_UP))?;
    let meter = Meter::start(server)?;
    let start = Instant::now();
    let received = exchange(Some(start + time))?;
    let (time, cost) = (start.elapsed(), meter.stop()?);
    exchange(None)?;
    let mut figures = vec![
        Figure::new("CPU per message", "µs", microseconds(cost.cpu) / received as f64),
        Figure::new("messages per second", "1/s", received as f64 / time.as_secs_f64()),
    ];
    figures.extend(validity::of_relay(&cost));
    Ok(figures)
}

/// Whether clients of `pairs` that send so many messages a second in all are over their rate. Acknowledgements count, too.
pub(super) fn is_beyond(rates: &Rates, pairs: usize, rate: u32) -> bool {
    let messages = f64::from(rate) / (2 * pairs) as f64;
    messages * (1.0 + 1.0 / ACK_EVERY as f64) > rates.messages.into()
}

/// So many messages a second in all, for so long.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) rate: u32,
    pub(super) time: Duration,
}

/// The clients of pairs that send in turn, at fixed times. Latency counts from the time at which a message was to be
/// sent.
pub(super) struct Paced {
    lines: Vec<Line>,
}

/// What was measured.
pub(super) struct Measured {
    pub(super) cost: Cost,
    pub(super) messages: u32,
    /// In order.
    latencies: Vec<Duration>,
}

pub(super) fn paced(server: &Server, pairs: usize, pace: Pace) -> Result<Vec<Figure>> {
    let (mut fleet, introductions) = gather::pairs(server, 2 * pairs)?;
    let mut inbox = Inbox::default();
    let mut paced = Paced::new(&fleet, &introductions);
    let measured = paced.run(server, &mut fleet, &mut inbox, pace, |_| Ok(()), gather::unexpected_frame)?;
    fleet.settle(&mut inbox)?;
    let mut figures = vec![
        Figure::new("CPU per message", "µs", measured.per_message()),
        Figure::new("latency, median", "µs", measured.percentile(0.5)),
        Figure::new("latency, 99 %", "µs", measured.percentile(0.99)),
        Figure::new("latency, 99.9 %", "µs", measured.percentile(0.999)),
    ];
    figures.extend(validity::of_paced(&measured.cost));
    Ok(figures)
}

impl Measured {
    /// Of as many messages as there are latencies.
    pub(super) fn new(cost: Cost, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { cost, messages: latencies.len() as u32, latencies }
    }

    /// CPU time of the server for each message, in microseconds.
    pub(super) fn per_message(&self) -> f64 {
        microseconds(self.cost.cpu) / f64::from(self.messages)
    }

    /// In microseconds.
    pub(super) fn percentile(&self, part: f64) -> f64 {
        microseconds(self.latencies[(self.latencies.len() as f64 * part) as usize])
    }
}

impl Paced {
    /// The first clients of the fleet, one for each introduction.
    pub(super) fn new(fleet: &Fleet, introductions: &[Introduction]) -> Self {
        Self { lines: introductions.iter().map(|other| Line::new(fleet.dialect, other)).collect() }
    }

    /// Does `meanwhile` between messages. Frames of clients that are not its own are for `others`.
    pub(super) fn run(
        &mut self,
        server: &Server,
        fleet: &mut Fleet,
        inbox: &mut Inbox,
        Pace { rate, time }: Pace,
        mut meanwhile: impl FnMut(&mut Fleet) -> Result<()>,
        mut others: impl FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<Measured> {
        let lines = &mut self.lines;
        let mut under_way = vec![VecDeque::new(); lines.len()];
        let mut latencies = Vec::new();
        let warm_up = (WARM_UP.as_secs_f64() * f64::from(rate)) as u32;
        let total = warm_up + (time.as_secs_f64() * f64::from(rate)) as u32;
        let (mut sent, mut received) = (0, 0);
        let (mut meter, mut cost) = (None, None);
        let start = Instant::now();
        let due = |message: u32| start + Duration::from_secs(1) * message / rate;
        while received < total {
            let mut now = Instant::now();
            while sent < total && due(sent) <= now {
                if sent == warm_up {
                    meter = Some(Meter::start(server)?);
                }
                let client = sent as usize % lines.len();
                fleet.send(client, lines[client].own.next())?;
                // Neighbours are a pair.
                under_way[client ^ 1].push_back((sent >= warm_up, due(sent)));
                sent += 1;
                if sent == total {
                    cost = meter.take().map(Meter::stop).transpose()?;
                }
                now = Instant::now();
            }
            meanwhile(fleet)?;
            // It never sleeps: otherwise the server would pay for waking it, which a client elsewhere would not cost it.
            let patience = if sent < total { Duration::ZERO } else { GLANCE };
            fleet.receive(inbox, patience)?;
            for (client, text) in inbox.frames() {
                let Some(line) = lines.get_mut(client) else {
                    others(client, text)?;
                    continue;
                };
                line.expected.check(text)?;
                let under_way = under_way[client].pop_front();
                let (is_measured, due) = under_way.ok_or_else(|| gather::unexpected(client, text))?;
                received += 1;
                if is_measured {
                    latencies.push(due.elapsed());
                }
            }
        }
        Ok(Measured::new(cost.ok_or("nothing to measure")?, latencies))
    }
}

/// What is not measured, so that caches and buffers have found their size.
pub(super) const WARM_UP: Duration = Duration::from_millis(500);
