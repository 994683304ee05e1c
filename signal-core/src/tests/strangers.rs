//! Random strangers: what each is told, against what a pool worked out another way says.
//!
//! A client believes what it is told and checks that it can be true. The log is followed apart from the hub, by a pool
//! that is written the simplest way. Over a log that delays and refuses, entries of other machines come between.

mod client;
mod world;

use proptest::{collection::vec, prelude::*, strategy::ValueTree};

use self::world::{Fate, World};

const POOLS: [&str; 3] = ["chat", "music", "trio"];

/// One thing that a stranger does, or that happens to it.
#[derive(Clone, Copy, Debug)]
enum Op {
    Match {
        stranger: usize,
        pool: usize,
    },
    /// Leaves the channel that it is in, if any, and searches again.
    Next {
        stranger: usize,
        pool: usize,
    },
    Cancel {
        stranger: usize,
        pool: usize,
    },
    Part {
        stranger: usize,
    },
    Detach {
        stranger: usize,
    },
    Resume {
        stranger: usize,
    },
    End {
        stranger: usize,
    },
    /// A stranger of another machine, which does nothing else.
    Remote {
        stranger: usize,
        pool: usize,
        what: Remote,
    },
    Wait {
        milliseconds: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Remote {
    Match,
    Widen,
    Cancel,
}

fn op(strangers: usize) -> impl Strategy<Value = Op> {
    let (stranger, pool) = (0..strangers, 0..POOLS.len());
    let pair = (stranger.clone(), pool);
    let remote = prop_oneof![2 => Just(Remote::Match), 1 => Just(Remote::Widen), 1 => Just(Remote::Cancel)];
    let milliseconds = prop_oneof![1..100_u64, 500..1_500_u64, 2_900..3_100_u64, Just(20_000_u64)];
    prop_oneof![
        8 => pair.clone().prop_map(|(stranger, pool)| Op::Match { stranger, pool }),
        8 => pair.clone().prop_map(|(stranger, pool)| Op::Next { stranger, pool }),
        2 => pair.clone().prop_map(|(stranger, pool)| Op::Cancel { stranger, pool }),
        2 => stranger.clone().prop_map(|stranger| Op::Part { stranger }),
        2 => stranger.clone().prop_map(|stranger| Op::Detach { stranger }),
        2 => stranger.clone().prop_map(|stranger| Op::Resume { stranger }),
        1 => stranger.prop_map(|stranger| Op::End { stranger }),
        2 => (pair, remote).prop_map(|((stranger, pool), what)| Op::Remote { stranger, pool, what }),
        3 => milliseconds.prop_map(|milliseconds| Op::Wait { milliseconds }),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    (0..=5_usize, prop_oneof![6 => Just(false), 1 => Just(true)])
        .prop_map(|(delay, refused)| Fate { delay, refused })
}

/// Each case is a long one.
fn cases() -> ProptestConfig {
    let all = ProptestConfig::default();
    ProptestConfig { cases: all.cases.div_ceil(4), ..all }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn strangers_meet_as_the_log_says(ops in vec(op(8), 0..120)) {
        World::at_once().play(&ops);
    }

    #[test]
    fn over_a_log_that_delays_and_refuses_strangers_meet_as_the_log_says(
        ops in vec(op(8), 0..120),
        policy in vec(fate(), 1..8),
        log in vec(fate(), 1..8),
    ) {
        World::delayed(&policy, &log).play(&ops);
    }
}

/// The same for so many that there are always some who meet, some who wait and some who are gone.
#[test]
fn ten_thousand_strangers_meet_as_the_log_says() {
    World::at_once().play(&crowd(10_000, 60_000));
}

#[test]
fn over_a_log_that_delays_ten_thousand_strangers_meet_as_the_log_says() {
    let fates: Vec<_> = (0..7).map(|n| Fate { delay: n * 5 % 6, refused: n == 3 }).collect();
    World::delayed(&fates, &fates[1..]).play(&crowd(10_000, 60_000));
}

/// The same operations each time.
fn crowd(strangers: usize, ops: usize) -> Vec<Op> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let op = op(strangers);
    // In a crowd little time passes from one to the next.
    let hurried = |op| {
        if let Op::Wait { milliseconds } = op { Op::Wait { milliseconds: milliseconds % 20 } } else { op }
    };
    (0..ops).map(|_| hurried(op.new_tree(&mut runner).unwrap().current())).collect()
}
