//! The bounds of how many there may be, and what was seen at each.

use std::time::Duration;

use signal_axum::SocketLimits;

use crate::{
    Result, SPARE_FILES, machine, put_to,
    server::{Kind, Setup},
    workload::brim::{self, Brim},
};

/// What keeps others out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) name: &'static str,
    setup: Setup,
}

/// What was seen, by bound and server.
#[derive(Default)]
pub(super) struct Brims(Vec<(&'static str, Kind, Brim)>);

/// Each of them lowered, and then none, if the machine lets a process have that many files.
pub(super) fn bounds() -> Vec<Bound> {
    let unlimited = Setup { unlimited: true, ..Setup::default() };
    let sockets = SocketLimits::default().all as u64;
    let files = machine::most_files().map(|most| most.saturating_sub(GENERATOR_FILES));
    let files = files.filter(|most| *most < sockets + SPARE_FILES);
    vec![
        Bound {
            name: "`SocketLimits::all`, lowered to 1,000",
            setup: Setup { sockets: Some(1_000), ..unlimited },
        },
        Bound {
            name: "`SocketLimits::sessions`, lowered to 1,000",
            setup: Setup { sessions: Some(1_000), ..unlimited },
        },
        Bound {
            name: "open files of the server's process, lowered to 1,000",
            setup: Setup { files: Some(1_000), ..unlimited },
        },
        Bound {
            name: match files {
                Some(_) => "open files of the server's process: the hard RLIMIT_NOFILE, less 1,024",
                None => "none lowered",
            },
            setup: Setup { files, ..unlimited },
        },
    ]
}

impl Brims {
    pub(super) fn add(&mut self, bound: Bound, kind: Kind, cpu: Option<usize>) -> Result<()> {
        let most = SocketLimits::default().all;
        let seen = put_to(kind, bound.setup, most, cpu, |server| brim::run(server, PAIRS, RATE, TIME))?;
        self.0.push((bound.name, kind, seen));
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'static str, Kind, Brim)> {
        self.0.iter()
    }
}

/// The load generator needs more files than the server: those whom it has brought in vain stay open.
pub(super) const GENERATOR_FILES: u64 = 1_024;
const PAIRS: usize = 50;
const RATE: u32 = 10_000;
const TIME: Duration = Duration::from_secs(2);
