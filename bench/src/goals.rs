//! What is to be reached, and whether it was.

use std::fmt::Write;

use crate::{
    report::{Report, short},
    rivals::Rival,
    server::Kind,
};

/// What a figure of ours is held to. It is the same for both adapters.
struct Goal {
    /// How the name of the workload begins.
    workload: &'static str,
    figure: &'static str,
    limits: &'static [Limit],
}

struct Limit {
    measure: Measure,
    /// At most this.
    bound: f64,
    /// What would be good.
    aim: Option<f64>,
}

enum Measure {
    /// The figure itself, in its unit.
    Itself,
    /// The part that it is of the same figure of another server.
    PartOf(Kind),
}

const GOALS: &[Goal] = &[
    Goal {
        workload: "relay",
        figure: "CPU per message",
        limits: &[
            part_of(FLOOR, 1.45).aim(1.2),
            part_of(NODE_WS, 0.36),
            part_of(SOCKET_IO, 0.28),
            part_of(MATCHBOX, 0.45),
        ],
    },
    Goal {
        workload: "paced",
        figure: "CPU per message",
        limits: &[
            part_of(FLOOR, 1.7).aim(1.25),
            part_of(NODE_WS, 0.38),
            part_of(SOCKET_IO, 0.33),
            part_of(MATCHBOX, 0.39),
        ],
    },
    Goal { workload: "paced", figure: "latency, 99 %", limits: &[part_of(NODE_WS, 1.0 / 3.0)] },
    Goal {
        workload: "call, fresh",
        figure: "CPU per call",
        limits: &[
            part_of(FLOOR, 1.65).aim(1.4),
            part_of(NODE_WS, 0.18),
            part_of(SOCKET_IO, 0.13),
            part_of(MATCHBOX, 0.54),
        ],
    },
    Goal { workload: "call, persistent", figure: "CPU per call", limits: &[part_of(NODE_WS, 0.26)] },
    Goal {
        workload: "idle",
        figure: "memory per connection, settled",
        limits: &[
            itself(4.0).aim(2.5),
            part_of(NODE_WS, 0.55),
            part_of(SOCKET_IO, 0.25),
            part_of(MATCHBOX, 0.03),
        ],
    },
    Goal {
        workload: "idle",
        figure: "memory per connection, after a call",
        limits: &[itself(5.0).aim(2.8), part_of(NODE_WS, 0.4)],
    },
    Goal {
        workload: "storm of 300",
        figure: "CPU",
        limits: &[part_of(FLOOR, 1.5), part_of(NODE_WS, 0.065), part_of(SOCKET_IO, 0.03)],
    },
];

const FLOOR: Kind = Kind::Floor;
const NODE_WS: Kind = Kind::Rival(Rival::NodeWs);
const SOCKET_IO: Kind = Kind::Rival(Rival::SocketIo);
const MATCHBOX: Kind = Kind::Rival(Rival::Matchbox);

const fn itself(bound: f64) -> Limit {
    Limit { measure: Measure::Itself, bound, aim: None }
}

const fn part_of(kind: Kind, bound: f64) -> Limit {
    Limit { measure: Measure::PartOf(kind), bound, aim: None }
}

impl Limit {
    const fn aim(self, aim: f64) -> Self {
        Self { aim: Some(aim), ..self }
    }

    /// What is held against it, by the medians of all rounds. Nothing where something was not measured, or the floor is no
    /// floor.
    fn measured(&self, goal: &Goal, report: &Report, ours: Kind) -> Option<f64> {
        match self.measure {
            Measure::Itself => Some(report.summary(goal.workload, goal.figure, ours)?.median),
            Measure::PartOf(other) => report.ratio(goal.workload, goal.figure, ours, other),
        }
    }

    fn verdict(&self, measured: f64) -> &'static str {
        if measured > self.bound {
            "**missed**"
        } else if self.aim.is_some_and(|aim| measured <= aim) {
            "reached, and the aim"
        } else {
            "reached"
        }
    }
}

/// A list of all goals, with what was measured.
pub(crate) fn judge(report: &Report) -> String {
    let ours: Vec<_> = report.kinds.iter().copied().filter(|kind| kind.is_ours()).collect();
    let names: Vec<_> = ours.iter().map(|kind| kind.name()).collect();
    let mut text = format!("| goal | at most | aim | {} |\n", names.join(" | "));
    text += &format!("|---|---:|---:|{}\n", "---:|".repeat(ours.len()));
    let (mut reached, mut missed, mut open) = (0, 0, 0);
    for (goal, limit) in GOALS.iter().flat_map(|goal| goal.limits.iter().map(move |limit| (goal, limit))) {
        let Goal { workload, figure, .. } = goal;
        let (workload, unit) = report.find(workload, figure).unwrap_or((workload, ""));
        let measure = match limit.measure {
            Measure::Itself => format!(", {unit}"),
            Measure::PartOf(other) => format!(" / {}", other.name()),
        };
        let aim = limit.aim.map_or(String::new(), short);
        let mut cells = String::new();
        for our in &ours {
            let measured = limit.measured(goal, report, *our);
            let is_reached = measured.map(|measured| measured <= limit.bound);
            *match is_reached {
                Some(true) => &mut reached,
                Some(false) => &mut missed,
                None => &mut open,
            } += 1;
            cells += &match measured {
                Some(measured) => format!(" {}, {} |", short(measured), limit.verdict(measured)),
                None => " not judged |".to_owned(),
            };
        }
        // Writing to a `String` does not fail.
        writeln!(text, "| {workload}: {figure}{measure} | {} | {aim} |{cells}", short(limit.bound))
            .unwrap_or_default();
    }
    format!("{text}\n{reached} reached, {missed} missed, {open} not judged.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adapter, report::Figure};

    #[test]
    fn goals_are_reached_missed_or_open() {
        let judged = |value| {
            let mut report = Report::new(&[Kind::Ours(Adapter::Axum)]);
            let memory = Figure::new("memory per connection, settled", "KiB", value);
            report.add("idle, 10000 connections", Kind::Ours(Adapter::Axum), vec![memory]);
            judge(&report)
        };
        let row = "| idle, 10000 connections: memory per connection, settled";
        for (value, cell) in
            [(2.5, "2.50, reached, and the aim"), (4.0, "4.00, reached"), (4.1, "4.10, **missed**")]
        {
            assert!(
                judged(value).contains(&format!("{row}, KiB | 4.00 | 2.50 | {cell} |\n")),
                "{}",
                judged(value)
            );
        }
        assert!(judged(1.0).contains(&format!("{row} / Node ws | 0.55 |  | not judged |\n")));
        let open = GOALS.iter().flat_map(|goal| goal.limits).count() - 1;
        assert!(judged(4.1).ends_with(&format!("0 reached, 1 missed, {open} not judged.\n")));
    }
}
