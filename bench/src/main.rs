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

mod dialect;
mod fleet;
mod floor;
mod gauges;
mod hold;
mod inbox;
mod machine;
mod meter;
mod promise;
mod report;
mod rivals;
mod serve;
mod server;
mod validity;
mod websocket;
mod workload;

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum, builder::RangedI64ValueParser};

use crate::{
    report::{Figure, Report},
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
    /// Channels of the workload `churn`
    #[arg(long, default_value_t = 100_000, value_parser = at_least_one())]
    channels: u32,
    /// Only workloads whose name starts with this, such as `relay`
    #[arg(long)]
    only: Option<String>,
    /// Only beside this rival; may be given several times
    #[arg(long, value_name = "RIVAL")]
    against: Vec<Rival>,
    /// Leaves the load generator to the scheduler, instead of giving it the last CPU
    #[arg(long)]
    unpinned: bool,
    /// Writes the table to bench/results.md, too
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
    let mut workloads = match (arguments.smoke, arguments.promises) {
        (true, _) => smoke(),
        (false, true) => promised(),
        (false, false) => full(arguments),
    };
    workloads.retain(|workload| arguments.only.as_ref().is_none_or(|only| workload.name().starts_with(only)));
    let cpu = (!arguments.smoke && !arguments.unpinned && machine::cpus() > 1).then(|| machine::cpus() - 1);

    let mut notes = vec![format!("{}; load {} at the start", machine::description(), machine::load())];
    notes.push(match cpu {
        Some(cpu) => format!("the load generator has CPU {cpu}, the servers are not pinned"),
        None => "neither the load generator nor the servers are pinned".to_owned(),
    });
    let most = workloads.iter().map(|workload| workload.connections()).max().unwrap_or(0);
    // The small ones run beside each other.
    let at_once = if arguments.smoke { Kind::OURS.len() } else { 1 };
    let raised = machine::allow_files((most * at_once) as u64 + SPARE_FILES)?;
    notes.extend(raised.map(|raised| format!("raised: {raised}")));
    notes.extend(raised_bounds(&workloads));
    if arguments.smoke {
        return hold::hold(&workloads, cpu, hold::Scale::Small, &notes);
    }
    if arguments.promises {
        return hold::hold(&workloads, cpu, hold::Scale::Full, &notes);
    }
    let mut kinds = Kind::OURS.to_vec();
    kinds.push(Kind::Floor);
    let is_wanted = |rival: &Rival| arguments.against.is_empty() || arguments.against.contains(rival);
    for rival in Rival::ALL.into_iter().filter(is_wanted) {
        match rival.install() {
            Ok(version) => {
                kinds.push(Kind::Rival(rival));
                notes.push(version);
                notes.extend(rival.raised(most).map(|raised| format!("raised: {raised}")));
            }
            Err(error) => notes.push(format!("{} is left out: {error}", rival.name())),
        }
    }
    compare(arguments, &workloads, &kinds, cpu, notes)
}

/// Which bounds of our servers are raised, and for which workloads.
fn raised_bounds(workloads: &[Workload]) -> Vec<String> {
    let mut raised = BTreeMap::<_, Vec<_>>::new();
    for workload in workloads {
        for bound in workload.setup().raised() {
            raised.entry(bound).or_default().push(workload.name());
        }
    }
    raised.into_iter().map(|(bound, names)| format!("raised: {bound}, for: {}", names.join("; "))).collect()
}

/// Measures all servers in turn, and makes a table of them.
fn compare(
    arguments: &Arguments,
    workloads: &[Workload],
    kinds: &[Kind],
    cpu: Option<usize>,
    mut notes: Vec<String>,
) -> Result<ExitCode> {
    notes.iter().try_for_each(|note| say(note))?;
    let rounds = arguments.rounds;
    let mut report = Report::new(kinds);
    let (mut passed, mut failed) = (0, 0);
    for round in 1..=rounds {
        for workload in workloads {
            for kind in kinds.iter().filter(|kind| workload.is_for(**kind)) {
                let name = workload.name();
                match run(*workload, *kind, workload.setup(), cpu) {
                    Ok(figures) => {
                        passed += 1;
                        say(&format!("round {round}, {name}, {}: all delivered", kind.name()))?;
                        report.add(&name, *kind, figures);
                    }
                    Err(error) => {
                        failed += 1;
                        say(&format!("round {round}, {name}, {}: FAILED: {error}", kind.name()))?;
                    }
                }
            }
        }
    }
    notes.push(format!(
        "{rounds} interleaved rounds; median [least .. greatest]; load {} at the end",
        machine::load()
    ));
    let notes: String = notes.iter().map(|note| format!("- {note}\n")).collect();
    let text = format!("{notes}\n{}", report.to_markdown());
    say(&format!("\n{text}"))?;
    if arguments.write {
        fs::write(RESULTS, format!("# Measured\n\nBy `cargo run --release -p bench -- --write`.\n\n{text}"))?;
    }
    verdict(passed, failed)
}

fn verdict(passed: u32, failed: u32) -> Result<ExitCode> {
    say(&format!("{passed} passed, {failed} failed"))?;
    Ok(if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One workload on one server.
fn run(workload: Workload, kind: Kind, setup: Setup, cpu: Option<usize>) -> Result<Vec<Figure>> {
    let server = kind.start(setup, workload.connections())?;
    // A thread of its own, so that the servers do not inherit its CPU.
    let generate = |server: &Server| {
        machine::settle_thread(cpu)?;
        workload.run(server)
    };
    let done = thread::scope(|scope| scope.spawn(|| generate(&server)).join());
    done.unwrap_or_else(|_| Err("the load generator has panicked".into()))
}

fn full(arguments: &Arguments) -> Vec<Workload> {
    let Arguments { connections, pairs, calls, rate, .. } = *arguments;
    let time = Duration::from_secs(arguments.seconds.into());
    vec![
        Workload::Idle { connections },
        Workload::Call { calls },
        Workload::Persistent { pairs, calls },
        Workload::Relay { pairs, time },
        Workload::Paced { pairs, rate, time },
        Workload::Storm { members: 32, times: 10 },
        Workload::Storm { members: 300, times: 3 },
        Workload::Churn { channels: arguments.channels },
        Workload::Slow { readers: 16, pairs, rate, time: time.max(Duration::from_secs(3)) },
    ]
}

fn smoke() -> Vec<Workload> {
    let time = Duration::from_millis(500);
    vec![
        // With fewer, what the server needs once would weigh too much.
        Workload::Idle { connections: 2_000 },
        Workload::Call { calls: 100 },
        Workload::Persistent { pairs: 20, calls: 100 },
        Workload::Relay { pairs: 20, time },
        Workload::Paced { pairs: 20, rate: 1000, time },
        Workload::Storm { members: 32, times: 1 },
        Workload::Storm { members: 100, times: 1 },
        Workload::Churn { channels: 1000 },
        Workload::Slow { readers: 2, pairs: 20, rate: 1000, time: 2 * time },
    ]
}

fn promised() -> Vec<Workload> {
    let time = Duration::from_secs(3);
    vec![
        Workload::Idle { connections: 10_000 },
        Workload::Churn { channels: 1_000_000 },
        Workload::Slow { readers: 16, pairs: 200, rate: 10_000, time },
    ]
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
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results.md");
