//! Our servers and the others in turn, round after round.

use std::time::{Duration, Instant};

use crate::{Result, report::Report, run, say, server::Kind, workload::Workload};

/// Each server does each workload once in each round, in a fresh process.
pub(crate) fn compare(
    workloads: &[Workload],
    kinds: &[Kind],
    rounds: u32,
    cpu: Option<usize>,
) -> Result<Report> {
    say(&format!("rounds: {rounds}, about {} in all", minutes(expected(workloads, kinds) * rounds)))?;
    let start = Instant::now();
    let mut report = Report::new(kinds);
    for round in 1..=rounds {
        for workload in workloads {
            for kind in kinds.iter().filter(|kind| workload.is_for(**kind)) {
                let what = format!("round {round}, {}, {}", workload.name(), kind.name());
                match run(*workload, *kind, workload.setup(), cpu) {
                    Ok(figures) => {
                        say(&format!("{what}: all delivered"))?;
                        report.add(&workload.name(), *kind, figures);
                    }
                    Err(error) => {
                        say(&format!("{what}: FAILED: {error}"))?;
                        report.lose(format!("{what}: {error}"));
                    }
                }
            }
        }
        let rest = start.elapsed() / round * (rounds - round);
        say(&format!("round {round} of {rounds} is done, about {} to go", minutes(rest)))?;
    }
    Ok(report)
}

/// About how long a round takes.
fn expected(workloads: &[Workload], kinds: &[Kind]) -> Duration {
    let all = workloads.iter().flat_map(|workload| kinds.iter().map(move |kind| (workload, *kind)));
    all.filter(|(workload, kind)| workload.is_for(*kind)).map(|(workload, kind)| workload.takes(kind)).sum()
}

fn minutes(time: Duration) -> String {
    format!("{} min", time.as_secs().div_ceil(60))
}
