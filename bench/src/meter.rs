//! What a server spends between two moments.

use std::{ops::Add, time::Duration};

use crate::{Result, floor::Counts, machine, server::Server};

pub(crate) struct Meter<'s> {
    server: &'s Server,
    counts: Option<Counts>,
    times: [Duration; 2],
    cpu: Duration,
    own: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// To the nanosecond.
    pub(crate) cpu: Duration,
    /// Of it, outside of the kernel and in it, to the tick.
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// CPU time of this thread, which generates the load.
    pub(crate) own: Duration,
    /// Of the floor alone.
    pub(crate) counts: Option<Counts>,
}

impl<'s> Meter<'s> {
    pub(crate) fn start(server: &'s Server) -> Result<Self> {
        // Telling it costs, so that comes before.
        let counts = server.counts()?;
        let (times, own) = (server.times()?, machine::own_cpu_time()?);
        Ok(Self { server, counts, times, cpu: server.cpu()?, own })
    }

    pub(crate) fn stop(self) -> Result<Cost> {
        let cpu = self.server.cpu()? - self.cpu;
        let own = machine::own_cpu_time()? - self.own;
        let [user, system] = self.server.times()?;
        let counts = self.server.counts()?.zip(self.counts).map(|(now, then)| now - then);
        Ok(Cost { cpu, user: user - self.times[0], system: system - self.times[1], own, counts })
    }
}

/// What was spent in both.
impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            user: self.user + other.user,
            system: self.system + other.system,
            own: self.own + other.own,
            counts: self.counts.zip(other.counts).map(|(a, b)| a + b),
        }
    }
}
