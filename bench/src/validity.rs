//! Whether the floor is one. Where it does more than it must, nothing is measured by it.

use crate::{
    floor::Counts,
    meter::Cost,
    promise::Bound,
    report::{Figure, Summary},
};

/// Two messages are under way in each pair, so there are hardly two to be read or sent at once, but those of many pairs
/// whenever the floor looks. The load generator is no part of it: what it costs tells whether it is the bottleneck.
pub(crate) fn of_relay(cost: &Cost) -> Vec<Figure> {
    evidence(cost, |counts| {
        let mut evidence = per_message(counts, MOST_WAITS);
        evidence.extend(system_time(cost, Some(LEAST_SYSTEM)));
        let own = cost.own.as_secs_f64() * 1e6 / counts.relayed as f64;
        evidence.push(Figure::evidence("CPU of the load generator per message", "µs", own, None));
        evidence
    })
}

/// Messages come one at a time: each may wake the floor once. It has so little to do that its system time is not told from
/// its user time for sure: there are a few ticks only.
pub(crate) fn of_paced(cost: &Cost) -> Vec<Figure> {
    evidence(cost, |counts| {
        let mut evidence = per_message(counts, MOST_CALLS);
        evidence.extend(system_time(cost, None));
        evidence
    })
}

/// What has come at once is read and sent at once. Besides, each of the fresh `connections` is read for its request, its
/// channel and its end, and is sent an answer and a notice. To accept one takes more than a relay, and hashing is no matter
/// of the kernel: system time is only told, and so is how often it waits, since calls do not all come at once.
pub(crate) fn of_calls(cost: &Cost, connections: u64) -> Vec<Figure> {
    evidence(cost, |counts| {
        let per_message = |calls: u64, others: u64| {
            calls.saturating_sub(others * connections) as f64 / counts.relayed as f64
        };
        let evidence = [
            Figure::evidence("`recv` per message", "", per_message(counts.recv, 3), Some(MOST_CALLS)),
            Figure::evidence("`send` per message", "", per_message(counts.send, 2), Some(MOST_CALLS)),
            Figure::evidence("`epoll_wait` per message", "", per_message(counts.epoll_wait, 0), None),
        ];
        evidence.into_iter().chain(system_time(cost, None)).collect()
    })
}

/// Each join is read, and notices are sent together. How many at once is a matter of how many joins are there when the
/// floor looks. Writing notices is no matter of the kernel.
pub(crate) fn of_storm(cost: &Cost) -> Vec<Figure> {
    evidence(cost, |counts| {
        let sends = counts.send as f64 / counts.notices as f64;
        let sends = Figure::evidence("`send` per notice", "", sends, Some(MOST_SENDS));
        system_time(cost, None).into_iter().chain([sends]).collect()
    })
}

fn evidence(cost: &Cost, of: impl FnOnce(Counts) -> Vec<Figure>) -> Vec<Figure> {
    cost.counts.map(of).unwrap_or_default()
}

fn per_message(counts: Counts, most_waits: Bound) -> Vec<Figure> {
    let Counts { recv, send, epoll_wait, relayed, .. } = counts;
    let figure = |name, calls, bound| Figure::evidence(name, "", calls as f64 / relayed as f64, Some(bound));
    vec![
        figure("`recv` per message", recv, MOST_CALLS),
        figure("`send` per message", send, MOST_CALLS),
        figure("`epoll_wait` per message", epoll_wait, most_waits),
    ]
}

/// If there was a tick at all.
fn system_time(Cost { user, system, .. }: &Cost, bound: Option<Bound>) -> Option<Figure> {
    let all = (*user + *system).as_secs_f64();
    (all > 0.0).then(|| Figure::evidence("system time", "%", system.as_secs_f64() / all * 100.0, bound))
}

/// Of each kind, for a message: one, but for what is read and sent besides.
const MOST_CALLS: Bound = Bound::AtMost(1.02);
const MOST_WAITS: Bound = Bound::AtMost(0.3);
const LEAST_SYSTEM: Bound = Bound::AtLeast(90.0);
const MOST_SENDS: Bound = Bound::AtMost(0.1);

/// What is known of the floor, at each workload.
#[derive(Default)]
pub(crate) struct Validity(Vec<Row>);

/// One thing that it does, in all rounds.
struct Row {
    workload: String,
    figure: Figure,
    values: Vec<f64>,
}

impl Validity {
    pub(crate) fn add(&mut self, workload: &str, figure: Figure) {
        let value = figure.value;
        let known = self.0.iter_mut().find(|row| row.workload == workload && row.figure.name == figure.name);
        match known {
            Some(row) => row.values.push(value),
            None => self.0.push(Row { workload: workload.to_owned(), figure, values: vec![value] }),
        }
    }

    /// Whether something may be measured by it: the medians are what they have to be.
    pub(crate) fn is_valid(&self, workload: &str) -> bool {
        let mut rows = self.0.iter().filter(|row| row.workload == workload).peekable();
        rows.peek().is_some() && rows.all(Row::holds)
    }

    /// A table, if there is something to tell.
    pub(crate) fn to_markdown(&self) -> String {
        let rows = self.0.iter().map(Row::to_markdown);
        if self.0.is_empty() { String::new() } else { HEAD.to_owned() + &rows.collect::<String>() }
    }
}

impl Row {
    fn median(&self) -> f64 {
        Summary::of(&self.values).map_or(f64::NAN, |summary| summary.median)
    }

    fn holds(&self) -> bool {
        self.figure.promise.is_none_or(|promise| promise.bound.is_kept_by(self.median()))
    }

    fn to_markdown(&self) -> String {
        let Self { workload, figure: Figure { name, unit, promise, .. }, values } = self;
        let does = match Summary::of(values) {
            Some(Summary { median, least, greatest }) => format!("{median:.3} [{least:.3} .. {greatest:.3}]"),
            None => "-".to_owned(),
        };
        let must = promise.map_or("-".to_owned(), |promise| {
            let (words, bound) = promise.bound.words();
            let verdict = if self.holds() { "" } else { ": **it is not**" };
            format!("{words} {bound}{verdict}")
        });
        format!("| {workload} | {name} | {unit} | {does} | {must} |\n")
    }
}

const HEAD: &str = "\n| the floor at | figure | unit | is | must be |\n|---|---|---|---:|---|\n";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What a floor spends on 1,000 messages.
    fn cost(counts: Counts) -> Cost {
        let (user, system) = (Duration::from_millis(50), Duration::from_millis(950));
        Cost { user, system, counts: Some(counts), ..Cost::default() }
    }

    const GOOD: Counts = Counts { recv: 1001, send: 1000, epoll_wait: 200, relayed: 1000, notices: 0 };

    #[test]
    fn the_floor_is_valid_where_it_does_no_more_than_it_must() {
        let is_valid = |cost: Cost| {
            let mut validity = Validity::default();
            of_relay(&cost).into_iter().for_each(|figure| validity.add("relay", figure));
            validity.is_valid("relay")
        };
        assert!(is_valid(cost(GOOD)));
        for counts in
            [Counts { recv: 1021, ..GOOD }, Counts { send: 1021, ..GOOD }, Counts { epoll_wait: 301, ..GOOD }]
        {
            assert!(!is_valid(cost(counts)), "{counts:?}");
        }
        let user = Duration::from_millis(150);
        assert!(!is_valid(Cost { user, ..cost(GOOD) }));
        assert!(!is_valid(Cost { counts: None, ..cost(GOOD) }), "nothing is known of it");
    }

    #[test]
    fn what_fresh_connections_need_is_not_held_against_it() {
        let cost = cost(Counts { recv: 1300, send: 1200, ..GOOD });
        let broken = |connections| {
            let values = of_calls(&cost, connections).into_iter();
            values.filter(Figure::is_broken).map(|figure| figure.name).collect::<Vec<_>>()
        };
        assert_eq!(broken(100), [""; 0]);
        assert_eq!(broken(90), ["`recv` per message"]);
    }
}
