//! Calls over fresh connections: both sides connect, join, talk and leave.

use std::{iter, time::Instant};

use super::{AT_ONCE, MESSAGES, Party, WARM_UP, figures};
use crate::{
    Result,
    dialect::Heard,
    fleet::Fleet,
    gauges,
    inbox::Inbox,
    meter::Meter,
    report::Figure,
    server::Server,
    workload::{GLANCE, gather, meeting::Meeting},
};

pub(in crate::workload) fn fresh(server: &Server, calls: usize) -> Result<Vec<Figure>> {
    let mut desk = Desk::new(server)?;
    desk.make(WARM_UP)?;
    let meter = Meter::start(server)?;
    let start = Instant::now();
    desk.make(calls)?;
    let (time, cost) = (start.elapsed(), meter.stop()?);
    gauges::wait_until_empty(server, gather::CLEARING)?;
    Ok(figures(calls, time, &cost, 2 * calls))
}

/// Where calls are made, each by two neighbours who are gone when it is over.
struct Desk {
    fleet: Fleet,
    stages: Vec<Stage>,
    /// The current call of each two, and how they get to know each other for it.
    calls: Vec<(usize, Meeting)>,
    begun: usize,
}

/// How far a client has come.
enum Stage {
    /// Until it has been introduced.
    Arriving,
    Calling(Party),
    Leaving,
    Gone,
}

impl Desk {
    fn new(server: &Server) -> Result<Self> {
        let fleet = Fleet::new(server.address, server.dialect)?;
        Ok(Self { fleet, stages: Vec::new(), calls: Vec::new(), begun: 0 })
    }

    /// Makes so many calls, from the first connection to the last that is closed.
    fn make(&mut self, calls: usize) -> Result<()> {
        let mut inbox = Inbox::default();
        let (mut waiting, mut missing) = (calls, calls);
        for place in 0..AT_ONCE.min(waiting) {
            waiting -= 1;
            self.begin(place)?;
        }
        while missing > 0 {
            self.fleet.receive(&mut inbox, GLANCE)?;
            for (client, text) in inbox.frames() {
                self.hear(client, text)?;
            }
            for client in inbox.closed() {
                self.stages[client] = Stage::Gone;
                if !matches!(self.stages[client ^ 1], Stage::Gone) {
                    continue;
                }
                missing -= 1;
                if waiting > 0 {
                    waiting -= 1;
                    self.begin(client / 2)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, place: usize) -> Result<()> {
        let channel = format!("call-{}", self.begun);
        let call = (self.begun, Meeting::new(channel.clone()));
        match self.calls.get_mut(place) {
            Some(known) => *known = call,
            None => self.calls.push(call),
        }
        self.begun += 1;
        for client in [2 * place, 2 * place + 1] {
            if client < self.fleet.len() {
                self.fleet.connect_again(client, &channel)?;
                self.stages[client] = Stage::Arriving;
            } else {
                self.fleet.connect(&channel)?;
                self.stages.push(Stage::Arriving);
            }
        }
        Ok(())
    }

    fn hear(&mut self, client: usize, text: &[u8]) -> Result<()> {
        let Self { fleet, stages, calls, .. } = self;
        let (dialect, (call, meeting)) = (fleet.dialect, &mut calls[client / 2]);
        match &mut stages[client] {
            Stage::Arriving => {
                let Some(introductions) = meeting.hear(fleet, client, text)? else { return Ok(()) };
                for (client, other) in iter::zip(client & !1.., introductions) {
                    // No two calls say the same.
                    let mut party = Party::new(dialect, (*call * MESSAGES) as u32, &other);
                    party.begin(fleet, client)?;
                    stages[client] = Stage::Calling(party);
                }
            }
            Stage::Calling(party) => {
                party.hear(fleet, client, text)?;
                let has_ended =
                    |stage: &Stage| matches!(stage, Stage::Calling(party) if party.has_heard_all());
                if has_ended(&stages[client]) && has_ended(&stages[client ^ 1]) {
                    for leaving in [client, client ^ 1] {
                        fleet.leave(leaving)?;
                        stages[leaving] = Stage::Leaving;
                    }
                }
            }
            Stage::Leaving if matches!(dialect.hear(str::from_utf8(text)?), Some(Heard::Left)) => {}
            Stage::Leaving | Stage::Gone => return Err(gather::unexpected(client, text)),
        }
        Ok(())
    }
}
