//! Our servers, held to what is promised of them.

use std::{process::ExitCode, thread};

use crate::{
    Result, promise,
    report::{Figure, Promises},
    run, say,
    server::{Kind, Setup},
    verdict,
    workload::Workload,
};

/// How much is asked of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Little, on a machine that does other things and of a server that may be built for tests: promises of time are not
    /// looked at, and lost sessions are not kept for long.
    Small,
    /// All that is promised.
    Full,
}

impl Scale {
    fn rounds(self) -> u32 {
        if self == Self::Full { promise::ROUNDS } else { 1 }
    }

    fn looks_at(self, figure: &Figure) -> bool {
        self == Self::Full || !figure.is_timed()
    }

    /// Nothing is promised of the floor, but it must deliver, too.
    fn kinds(self, workload: Workload) -> Vec<Kind> {
        let is_with_floor =
            self == Self::Small && matches!(workload, Workload::Relay { .. } | Workload::Storm { .. });
        Kind::OURS.into_iter().chain(is_with_floor.then_some(Kind::Floor)).collect()
    }

    fn setup(self, workload: Workload) -> Setup {
        let setup = workload.setup();
        if self == Self::Full { setup } else { Setup { grace: Some(1), ..setup } }
    }
}

/// Puts each of our servers to each of `workloads`, and the floor to some. The last lines are what came nearest to breaking a promise, and how many
/// have failed.
pub(crate) fn hold(
    workloads: &[Workload],
    cpu: Option<usize>,
    scale: Scale,
    notes: &[String],
) -> Result<ExitCode> {
    notes.iter().try_for_each(|note| say(note))?;
    let mut promises = Promises::default();
    let (mut passed, mut failed) = (0, 0);
    for workload in workloads {
        let keep = |kind: &Kind| keep(*workload, *kind, cpu, scale);
        let kinds = scale.kinds(*workload);
        let kept: Vec<_> = match scale {
            // They mostly wait.
            Scale::Small => thread::scope(|scope| {
                let running: Vec<_> = kinds.iter().map(|kind| scope.spawn(move || keep(kind))).collect();
                let ended = running.into_iter().map(|running| running.join());
                ended.map(|kept| kept.unwrap_or_else(|_| Err("it has panicked".into()))).collect()
            }),
            Scale::Full => kinds.iter().map(keep).collect(),
        };
        for (kind, kept) in kinds.into_iter().zip(kept) {
            let what = format!("{}, {}", workload.name(), kind.name());
            match kept {
                Ok(figures) => {
                    passed += 1;
                    promises.add(figures.iter().filter(|figure| scale.looks_at(figure)));
                    say(&format!("{what}: all delivered, all kept"))?;
                }
                Err(error) => {
                    failed += 1;
                    say(&format!("{what}: FAILED: {error}"))?;
                }
            }
        }
    }
    promises.lines().try_for_each(|line| say(&line))?;
    verdict(passed, failed)
}

/// A promise that others on the machine can spoil is kept if it is in one round.
fn keep(workload: Workload, kind: Kind, cpu: Option<usize>, scale: Scale) -> Result<Vec<Figure>> {
    let mut missed = Vec::new();
    for _ in 0..scale.rounds() {
        let figures = run(workload, kind, scale.setup(workload), cpu)?;
        let broken = figures.iter().filter(|figure| scale.looks_at(figure) && figure.is_broken());
        let (timed, steady): (Vec<_>, Vec<_>) = broken.partition(|figure| figure.is_timed());
        if let Some(steady) = steady.first() {
            return Err(steady.to_string().into());
        }
        missed = timed.into_iter().map(Figure::to_string).collect();
        if missed.is_empty() {
            return Ok(figures);
        }
        say(&format!("once more: {}", missed.join(", ")))?;
    }
    Err(missed.join(", ").into())
}
