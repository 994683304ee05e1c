//! Measures the server, side by side with rivals.
//!
//! Each server runs as a process of its own, freshly started for each workload; the rounds of all servers are
//! interleaved. What is measured is the server's CPU time (`/proc/PID/task/*/schedstat`) and resident memory (`VmRSS`,
//! which has no kernel memory in it). One thread generates all load. Every message carries a number and is compared
//! byte for byte where it arrives, so that nothing is lost, changed or doubled unseen.
//!
//! The floor is measured with them: the least that a server can do. It tells how many system calls it makes, and where these
//! are more than they must be, nothing is measured by it.
//!
//! With `--promises` figures are held to what is promised of them: those of memory in each round, those of time, which
//! whatever else runs on the machine can spoil, in one of up to three. With `--smoke` those of memory are, too.

mod compare;
mod dialect;
mod document;
mod fleet;
mod floor;
mod gauges;
mod goals;
mod growth;
mod headlines;
mod hold;
mod inbox;
mod machine;
mod meter;
mod picture;
mod plan;
mod promise;
mod report;
mod rivals;
mod serve;
mod server;
mod svg;
mod validity;
mod websocket;
mod workload;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
    thread,
};

use clap::{Parser, Subcommand, ValueEnum, builder::RangedI64ValueParser};

use crate::{
    report::Figure,
    rivals::Rival,
    server::{Kind, Server, Setup},
    workload::Workload,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the server, side by side with rivals, and verifies every message
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Small and short: only checks that everything is delivered, without rivals
    #[arg(long)]
    smoke: bool,
    /// Holds our servers to what is promised of them, without rivals: 10,000 connections, 1,000,000 channels, 16 who do not
    /// read
    #[arg(long, conflicts_with = "smoke")]
    promises: bool,
    /// How cost grows with the number of connections, channels and members, and what happens when there is no place for more
    #[arg(long, conflicts_with_all = ["smoke", "promises"])]
    growth: bool,
    /// How often each server does each workload
    #[arg(long, default_value_t = 5, value_parser = at_least_one())]
    rounds: u32,
    /// Connections of the workload `idle`, an even number
    #[arg(long, default_value = "10000", value_parser = even)]
    connections: usize,
    /// Calls of the workloads `call` and `call, persistent`
    #[arg(long, default_value_t = 2000)]
    calls: usize,
    /// Pairs of the workloads `call, persistent`, `relay` and `paced`
    #[arg(long, default_value_t = 200)]
    pairs: usize,
    /// Messages per second of the workload `paced`
    #[arg(long, default_value_t = 10_000, value_parser = at_least_one())]
    rate: u32,
    /// Seconds that `relay` and `paced` take each
    #[arg(long, default_value_t = 3, value_parser = at_least_one())]
    seconds: u32,
    /// Only workloads whose name starts with this, such as `relay`
    #[arg(long)]
    only: Option<String>,
    /// Only beside this rival; may be given several times
    #[arg(long, value_name = "RIVAL")]
    against: Vec<Rival>,
    /// Leaves the load generator to the scheduler, instead of giving it the last CPU
    #[arg(long)]
    unpinned: bool,
    /// Writes docs/performance.md with its picture, and the figures in the README, if nothing is left out; with `--growth`
    /// docs/growth.md with its picture
    #[arg(long)]
    write: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one of our servers until standard input ends
    #[command(hide = true)]
    Serve {
        adapter: Adapter,
        #[command(flatten)]
        setup: Setup,
    },
    /// Runs the floor until standard input ends
    #[command(hide = true)]
    Floor,
}

impl Arguments {
    /// Whether less is compared than there is.
    fn is_narrowed(&self) -> bool {
        self.only.is_some() || !self.against.is_empty()
    }
}

/// The adapters of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Adapter {
    Axum,
    Tungstenite,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Some(Command::Serve { adapter, setup }) => serve::run(adapter, setup).map(|()| ExitCode::SUCCESS),
        Some(Command::Floor) => floor::run().map(|()| ExitCode::SUCCESS),
        None => measure(&arguments),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{error}");
        ExitCode::FAILURE
    })
}

fn measure(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.growth {
        return growth::measure(arguments);
    }
    let workloads = plan::workloads(arguments);
    let (cpu, mut notes) = surroundings(arguments);
    let most = workloads.iter().map(|workload| workload.connections()).max().unwrap_or(0);
    // The small ones run beside each other.
    let at_once = if arguments.smoke { Kind::OURS.len() } else { 1 };
    let raised = machine::allow_files((most * at_once) as u64 + SPARE_FILES)?;
    notes.extend(raised.map(|raised| format!("raised: {raised}")));
    notes.extend(plan::raised_bounds(&workloads));
    if arguments.smoke {
        return hold::hold(&workloads, cpu, hold::Scale::Small, &notes);
    }
    if arguments.promises {
        return hold::hold(&workloads, cpu, hold::Scale::Full, &notes);
    }
    let rivals = if arguments.against.is_empty() { &Rival::ALL[..] } else { &arguments.against };
    let kinds = plan::servers(rivals, most, &mut notes);
    notes.iter().try_for_each(|note| say(note))?;
    // Others may be checked out while it runs.
    let commit = machine::commit();
    let report = compare::compare(&workloads, &kinds, arguments.rounds, cpu)?;
    notes.push(format!("interleaved rounds: {}; load {} at the end", arguments.rounds, machine::load()));
    let page = document::page(&commit, &notes, &report);
    say(&format!("\n{page}"))?;
    match (arguments.write, arguments.is_narrowed()) {
        (true, true) => say("nothing is written, since something was left out")?,
        (true, false) => document::write(&page, &report)?,
        (false, _) => {}
    }
    let is_sound = report.lost().is_empty() && !workloads.is_empty();
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The CPU of the load generator, and what has to be known about the machine.
fn surroundings(arguments: &Arguments) -> (Option<usize>, Vec<String>) {
    let cpu = (!arguments.smoke && !arguments.unpinned && machine::cpus() > 1).then(|| machine::cpus() - 1);
    let pinned = match cpu {
        Some(cpu) => format!("the load generator has CPU {cpu}, the servers are not pinned"),
        None => "neither the load generator nor the servers are pinned".to_owned(),
    };
    (cpu, vec![format!("{}; load {} at the start", machine::description(), machine::load()), pinned])
}

fn verdict(passed: u32, failed: u32) -> Result<ExitCode> {
    say(&format!("{passed} passed, {failed} failed"))?;
    Ok(if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One workload on one server.
fn run(workload: Workload, kind: Kind, setup: Setup, cpu: Option<usize>) -> Result<Vec<Figure>> {
    put_to(kind, setup, workload.connections(), cpu, |server| workload.run(server))
}

/// Starts a server for so many connections and generates load for it.
fn put_to<T: Send>(
    kind: Kind,
    setup: Setup,
    connections: usize,
    cpu: Option<usize>,
    load: impl FnOnce(&Server) -> Result<T> + Send,
) -> Result<T> {
    let server = kind.start(setup, connections)?;
    // A thread of its own, so that the servers do not inherit its CPU.
    let generate = || {
        machine::settle_thread(cpu)?;
        load(&server)
    };
    let done = thread::scope(|scope| scope.spawn(generate).join());
    done.unwrap_or_else(|_| Err("the load generator has panicked".into()))
}

fn at_least_one() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

fn even(text: &str) -> std::result::Result<usize, String> {
    let number: usize = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0 && number.is_multiple_of(2) { Ok(number) } else { Err("not an even number".to_owned()) }
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// Open files of a process that are no connections.
const SPARE_FILES: u64 = 64;
