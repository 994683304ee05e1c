//! A server as a process: starting it, and what it costs.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use signal_axum::{Limits, Rates};

use crate::{
    Adapter, Result,
    dialect::{Dialect, Floor, Signal},
    floor::Counts,
    gauges, machine,
    rivals::Rival,
};

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours(Adapter),
    Rival(Rival),
    /// What the others are measured by.
    Floor,
}

/// What of a server of ours is not as by default.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    #[arg(long)]
    pub(crate) members_per_channel: Option<usize>,
    /// How many seconds lost sessions are kept
    #[arg(long)]
    pub(crate) grace: Option<u32>,
    /// How many sockets there may be
    #[arg(long)]
    pub(crate) sockets: Option<usize>,
    /// How many sessions there may be
    #[arg(long)]
    pub(crate) sessions: Option<usize>,
    /// How many files the process may have open
    #[arg(long)]
    pub(crate) files: Option<u64>,
    /// Clients may send as fast as they can
    #[arg(long)]
    pub(crate) unlimited: bool,
}

impl Setup {
    /// What tells it to the process of a server.
    fn arguments(self) -> impl Iterator<Item = String> {
        let numbers = [
            ("members-per-channel", self.members_per_channel.map(|number| number as u64)),
            ("grace", self.grace.map(u64::from)),
            ("sockets", self.sockets.map(|number| number as u64)),
            ("sessions", self.sessions.map(|number| number as u64)),
            ("files", self.files),
        ];
        let numbers = numbers.into_iter().filter_map(|(name, number)| Some(format!("--{name}={}", number?)));
        numbers.chain(self.unlimited.then(|| "--unlimited".to_owned()))
    }

    /// Each bound that is raised, by its name.
    pub(crate) fn raised(self) -> Vec<String> {
        let Limits { members_per_channel, .. } = Limits::default();
        let Rates { messages, burst, bytes, burst_bytes, .. } = Rates::default();
        let members = self
            .members_per_channel
            .map(|members| format!("members_per_channel from {members_per_channel} to {members}"));
        let rates = self.unlimited.then(|| {
            format!(
                "a client's rate of messages ({messages}, burst {burst}) and bytes ({bytes}, burst_bytes {burst_bytes}) \
                 to unlimited"
            )
        });
        members.into_iter().chain(rates).collect()
    }

    pub(crate) fn grace_time(self) -> Duration {
        self.grace.map_or(Limits::default().grace, |seconds| Duration::from_secs(seconds.into()))
    }
}

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Where it tells what it has counted, if it is one of ours.
    pub(crate) metrics: Option<SocketAddr>,
    /// Where it tells its system calls, if it is the floor.
    counts: Option<SocketAddr>,
    /// How long it keeps lost sessions.
    pub(crate) grace: Duration,
    pub(crate) dialect: &'static dyn Dialect,
    child: Child,
}

impl Kind {
    pub(crate) const OURS: [Self; 2] = [Self::Ours(Adapter::Axum), Self::Ours(Adapter::Tungstenite)];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours(Adapter::Axum) => "signal-axum",
            Self::Ours(Adapter::Tungstenite) => "signal-tungstenite",
            Self::Rival(rival) => rival.name(),
            Self::Floor => "floor",
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ours(_))
    }

    /// Starts it for so many connections.
    pub(crate) fn start(self, setup: Setup, connections: usize) -> Result<Server> {
        let mut known = None;
        let (mut command, dialect): (_, &dyn Dialect) = match self {
            Self::Ours(adapter) => {
                let mut command = Command::new(env::current_exe()?);
                let adapter = adapter.to_possible_value().expect("no adapter is hidden");
                command.arg("serve").arg(adapter.get_name());
                command.args(setup.arguments());
                (command, &Signal)
            }
            Self::Rival(rival) => {
                let (command, address) = rival.command(connections)?;
                known = address;
                (command, rival.dialect())
            }
            Self::Floor => {
                let mut command = Command::new(env::current_exe()?);
                command.arg("floor");
                (command, &Floor)
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut address = |what: &str| {
            let line = lines.next()?.ok()?;
            line.strip_prefix(what)?.strip_prefix(" on http://")?.parse().ok()
        };
        let (metrics, counts) = match self {
            Self::Ours(_) => (address("metrics"), None),
            Self::Rival(_) => (None, None),
            Self::Floor => (None, address("metrics")),
        };
        let grace = setup.grace_time();
        let listening = match known {
            Some(address) => wait_until_open(address),
            None => address("listening"),
        };
        match listening {
            Some(address) => Ok(Server { address, metrics, counts, grace, dialect, child }),
            None => {
                let _ = child.kill();
                child.wait()?;
                Err(format!("{} does not listen", self.name()).into())
            }
        }
    }
}

impl Server {
    /// The CPU time of all its threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        tasks.map(|task| machine::cpu_time(&task?.path())).sum()
    }

    /// The CPU time that it spent outside of the kernel, and in it, as far as one tick is from the next.
    pub(crate) fn times(&self) -> Result<[Duration; 2]> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the program, in parentheses, may have spaces.
        let (_, fields) = stat.rsplit_once(')').ok_or("a stat without a name")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let mut time = || -> Result<Duration> {
            Ok(Duration::from_secs(ticks.next().ok_or("a short stat")??) / TICKS_PER_SECOND)
        };
        Ok([time()?, time()?])
    }

    /// What the floor has done. No other server tells.
    pub(crate) fn counts(&self) -> Result<Option<Counts>> {
        let Some(address) = self.counts else { return Ok(None) };
        let text = gauges::ask(address)?;
        Ok(Some(Counts::parse(&text).ok_or_else(|| format!("no counts: {text}"))?))
    }

    /// Its resident memory in bytes.
    pub(crate) fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
        Ok(kilobytes.ok_or("no VmRSS")?.trim().parse::<f64>()? * 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a server accepts connections.
fn wait_until_open(address: SocketAddr) -> Option<SocketAddr> {
    let until = Instant::now() + STARTING;
    while Instant::now() < until {
        if TcpStream::connect(address).is_ok() {
            return Some(address);
        }
        thread::sleep(AGAIN);
    }
    None
}

/// How long a server may take until it listens, and how often to look.
const STARTING: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(20);

/// Of user mode, on every Linux that Rust knows.
const TICKS_PER_SECOND: u32 = 100;
