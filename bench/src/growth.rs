//! How cost grows: the same figures at several sizes, and what happens when there is no place for more.
//!
//! What one connection, message or introduction costs should not depend on how many others there are. How the figures
//! grow is told as a power of the size: n^0 is flat, n^1 is in proportion to it.

mod brims;
mod curves;
mod plot;
mod table;

use std::{fs, process::ExitCode, time::Duration};

use signal_axum::SocketLimits;

use self::{brims::Brims, curves::Curves};
use crate::{
    Arguments, Result, SPARE_FILES, machine, plan, rivals::Rival, run, say, server::Kind, surroundings,
    verdict, workload::Workload,
};

/// One workload at several sizes.
struct Sweep {
    /// What there is more and more of.
    size: &'static str,
    /// What is done.
    about: &'static str,
    steps: Vec<(usize, Workload)>,
    /// The figures that are shown.
    figures: &'static [&'static str],
}

pub(crate) fn measure(arguments: &Arguments) -> Result<ExitCode> {
    let (cpu, mut notes) = surroundings(arguments);
    let sweeps = sweeps(arguments);
    let steps = sweeps.iter().flat_map(|sweep| &sweep.steps).map(|(_, workload)| *workload);
    notes.extend(machine::allow_files(files())?.map(|raised| format!("raised: {raised}")));
    let workloads: Vec<_> = steps.collect();
    notes.extend(plan::raised_bounds(&workloads));
    let most = workloads.iter().map(|workload| workload.connections()).max().unwrap_or_default();
    let kinds = plan::servers(&[Rival::NodeWs], most, &mut notes);
    notes.iter().try_for_each(|note| say(note))?;

    let (mut passed, mut failed) = (0, 0);
    let mut curves = Curves::new(&sweeps, &kinds);
    let mut count = |what: String, error: Option<String>| {
        *if error.is_none() { &mut passed } else { &mut failed } += 1;
        say(&format!("{what}: {}", error.as_deref().unwrap_or("all delivered")))
    };
    for round in 1..=arguments.rounds {
        for (index, sweep) in sweeps.iter().enumerate() {
            for (size, workload) in &sweep.steps {
                for kind in kinds.iter().copied().filter(|kind| workload.is_for(*kind)) {
                    let what = format!("round {round}, {}, {}", workload.name(), kind.name());
                    let figures = run(*workload, kind, workload.setup(), cpu);
                    count(what, figures.as_ref().err().map(|error| format!("FAILED: {error}")))?;
                    curves.add(index, kind, *size, &figures.unwrap_or_default());
                }
            }
        }
    }
    let mut brims = Brims::default();
    for bound in brims::bounds() {
        for kind in Kind::OURS {
            let error = brims.add(bound, kind, cpu).err();
            count(format!("{}, {}", bound.name, kind.name()), error.map(|error| format!("FAILED: {error}")))?;
        }
    }

    notes.push(format!("commit {}", machine::commit()));
    notes.push(format!(
        "{} interleaved rounds of {} s each; median [least .. greatest]; load {} at the end",
        arguments.rounds,
        arguments.seconds,
        machine::load()
    ));
    let text = table::page(&notes, &sweeps, &curves, &brims);
    say(&format!("\n{text}"))?;
    // Nothing that leaves something out.
    if arguments.write && arguments.only.is_none() {
        fs::write(PAGE, text)?;
        fs::write(PICTURE, plot::picture(&sweeps, &curves))?;
    }
    verdict(passed, failed)
}

fn sweeps(arguments: &Arguments) -> Vec<Sweep> {
    let rate = arguments.rate;
    let time = Duration::from_secs(arguments.seconds.into());
    let steps = |sizes: &[usize], workload: &dyn Fn(usize) -> Workload| {
        sizes.iter().map(|size| (*size, workload(*size))).collect()
    };
    vec![
        Sweep {
            size: "connections",
            about: "All are in channels of two. The first 50 pairs relay candidates at a fixed rate; the others rest.",
            steps: steps(&crowds(), &|connections| Workload::Crowd { connections, pairs: 50, rate, time }),
            figures: &[
                "memory per connection",
                "CPU to connect and join",
                "CPU per message",
                "latency, 99 %",
            ],
        },
        Sweep {
            size: "channels in use, fixed rate",
            about: "A pair in each relays candidates; all pairs together do so at the same rate.",
            steps: steps(&CHANNELS, &|pairs| Workload::Paced { pairs, rate, time }),
            figures: &["CPU per message"],
        },
        Sweep {
            size: "channels in use, full speed",
            about: "A pair in each relays candidates as fast as it goes.",
            steps: steps(&CHANNELS, &|pairs| Workload::Relay { pairs, time }),
            figures: &["CPU per message"],
        },
        Sweep {
            size: "members per channel, to one",
            about: "The same 512 clients in fewer and larger channels relay candidates in pairs, at a fixed rate.",
            steps: steps(&MEMBERS, &|members| Workload::Company { members, channels: 1, rate, time }),
            figures: &["CPU per message"],
        },
        Sweep {
            size: "members per channel, to all",
            about: "One of each channel sends to all in it. As many messages arrive a second, however many get the same one.",
            steps: steps(&MEMBERS, &|members| Workload::Broadcast { members, rate, time }),
            figures: &["CPU per recipient"],
        },
        Sweep {
            size: "channels per peer",
            about: "256 pairs are together in several channels, and relay candidates for their connection in the last.",
            steps: steps(&[1, 4, 16], &|channels| Workload::Company { members: 2, channels, rate, time }),
            figures: &["CPU per message"],
        },
        Sweep {
            size: "peers that join at once",
            about: "Everybody is introduced to everybody: n(n-1) introductions.",
            steps: [(30, 16), (100, 16), (300, 5), (1_000, 2)]
                .map(|(members, times)| (members, Workload::Storm { members, times }))
                .to_vec(),
            figures: &["CPU per introduction", "time until all are introduced"],
        },
    ]
    .into_iter()
    .map(|mut sweep| {
        sweep.steps.retain(|(_, workload)| {
            arguments.only.as_ref().is_none_or(|only| workload.name().starts_with(only))
        });
        sweep
    })
    .filter(|sweep| !sweep.steps.is_empty())
    .collect()
}

/// As many open files as a server wants to have by default, and some that come in vain, or as many as there may be.
fn files() -> u64 {
    let wanted = SocketLimits::default().all as u64 + brims::GENERATOR_FILES;
    machine::most_files().map_or(wanted, |most| most.min(wanted))
}

/// As many connections as files may be open, or sockets be there by default.
fn crowds() -> Vec<usize> {
    let most = (files() - SPARE_FILES) as usize & !1;
    let most = most.min(SocketLimits::default().all);
    let sizes = [100, 1_000, 10_000, 20_000, 40_000, 80_000].into_iter();
    sizes.filter(|size| *size < most).chain([most]).collect()
}

const CHANNELS: [usize; 4] = [2, 20, 200, 2_000];
const MEMBERS: [usize; 4] = [2, 8, 64, 512];
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/growth.md");
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/images/growth.svg");
