//! Deterministic simulation: the real driver, with clients that keep to the protocol, over a network, a log, a policy
//! and a server that fail. A seed decides everything, so the same seed gives the same run.
//!
//! `SIGNAL_TEST_SEED=7 cargo test -p signal-tokio simulation` plays one seed, and shows what was said when it fails.
//! `SIGNAL_TEST_SEEDS` says how many seeds are played otherwise.
//!
//! | module | what is in it |
//! |---|---|
//! | `plan` | what the seed decides beforehand |
//! | `network`, `socket` | connections that are slow, stand still, and are lost in all ways |
//! | `slow` | a policy and a log that take their time, refuse, or answer too late |
//! | `faults` | when connections are lost, peers kicked, and the server is killed |
//! | `client`, `welcome`, `acts` | a client: its sockets, its sessions, and what it does |
//! | `session`, `view` | what a client counts, and what it knows |
//! | `desk` | what the server does, and what it may do |
//! | `checks` | what must hold at the end |
//! | `patience` | fails a run in which time stands still |
//!
//! It is inside of the crate because it seeds the crate's random numbers, takes the place of its log, and looks whether
//! anything is left in the end. None of that is public.

mod acts;
mod checks;
mod client;
mod desk;
mod faults;
mod network;
mod patience;
mod plan;
mod session;
mod slow;
mod socket;
mod stage;
mod view;
mod welcome;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{runtime, task::JoinSet, time};

use self::{client::Client, plan::Plan, stage::Stage};
use super::dice::Dice;
use crate::random;

#[test]
fn whatever_fails_nothing_is_lost_doubled_or_left() {
    if let Some(seed) = number("SEED") {
        return play(seed, true).unwrap_or_else(|failure| panic!("{failure}"));
    }
    let seeds = number("SEEDS").unwrap_or(100);
    let next = AtomicU64::new(0);
    let failed: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..thread::available_parallelism().map_or(2, usize::from))
            .map(|_| {
                scope.spawn(|| {
                    let seeds = std::iter::from_fn(|| {
                        Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds)
                    });
                    seeds.filter_map(|seed| play(seed, false).err()).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("failures are caught")).collect()
    });
    assert!(failed.is_empty(), "{} of {seeds} seeds fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        let (one, other) = (transcript(seed), transcript(seed));
        assert!(one.len() > 20, "something happens");
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "seed {seed}");
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(format!("SIGNAL_TEST_{name}")).ok().map(|value| value.parse().expect("a number"))
}

/// Plays a seed. The failure says how to play it again.
fn play(seed: u64, shows: bool) -> Result<(), String> {
    let stage = std::sync::OnceLock::new();
    catch_unwind(AssertUnwindSafe(|| run(seed, shows, |made| drop(stage.set(made))))).map_err(|_| {
        let lines = stage.get().and_then(|stage: &Arc<Stage>| stage.transcript());
        let lines = lines.map_or(String::new(), |lines| lines.join("\n") + "\n");
        format!("{lines}SIGNAL_TEST_SEED={seed} cargo test -p signal-tokio simulation")
    })
}

fn transcript(seed: u64) -> Vec<String> {
    let mut stage = None;
    run(seed, true, |made| stage = Some(made));
    stage.and_then(|stage| stage.transcript()).expect("it was asked for")
}

fn run(seed: u64, wants_transcript: bool, tell: impl FnOnce(Arc<Stage>)) {
    random::seeded::from(seed);
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(patience::watch(async {
        let mut dice = Dice::new(seed);
        let stage = Stage::new(Plan::new(&mut dice), wants_transcript);
        tell(Arc::clone(&stage));
        stage.start(0, &mut dice);
        let mut tasks = JoinSet::new();
        for number in 0..stage.plan.clients {
            tasks.spawn(Client::new(Arc::clone(&stage), number, dice.split()).live());
        }
        tasks.spawn(faults::trouble(Arc::clone(&stage), dice.split()));
        tasks.spawn(look_at_the_end(Arc::clone(&stage)));
        while let Some(ended) = tasks.join_next().await {
            ended.expect("nothing goes wrong");
        }
        // Sessions that nobody has ended end now, and the log takes back all that it has given.
        time::sleep(stage.plan.grace + Duration::from_secs(60)).await;
        checks::check_that_nothing_is_left(&stage);
        stage.kill(&mut dice).await;
    }));
}

async fn look_at_the_end(stage: Arc<Stage>) {
    time::sleep_until(stage.leave_at - Duration::from_millis(1)).await;
    checks::check_at_rest(&stage);
}
