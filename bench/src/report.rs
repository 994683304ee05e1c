//! What was measured, in all rounds.

mod tables;

use std::fmt;

use crate::{
    promise::{Bound, Promise, Steadiness},
    server::Kind,
    validity::Validity,
};

/// One thing that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
    pub(crate) promise: Option<Promise>,
    /// Whether it tells of the floor whether it is one.
    is_evidence: bool,
}

impl Figure {
    pub(crate) fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name, unit, value, promise: None, is_evidence: false }
    }

    /// What the floor does beside what is measured, and what it has to be.
    pub(crate) fn evidence(name: &'static str, unit: &'static str, value: f64, bound: Option<Bound>) -> Self {
        let promise = bound.map(|bound| Promise { bound, steadiness: Steadiness::Timed });
        Self { promise, is_evidence: true, ..Self::new(name, unit, value) }
    }

    pub(crate) fn promised(self, bound: Bound, steadiness: Steadiness) -> Self {
        Self { promise: Some(Promise { bound, steadiness }), ..self }
    }

    /// Whether a promise of it is broken.
    pub(crate) fn is_broken(&self) -> bool {
        self.promise.is_some_and(|promise| !promise.bound.is_kept_by(self.value))
    }

    /// Whether a promise of it can be broken by others on the machine.
    pub(crate) fn is_timed(&self) -> bool {
        self.promise.is_some_and(|promise| promise.steadiness == Steadiness::Timed)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, unit, value, promise, .. } = self;
        write!(f, "{name}: {} {unit}", short(*value))?;
        let Some(Promise { bound, .. }) = promise else { return Ok(()) };
        let (words, bound) = bound.words();
        write!(f, " (promised: {words} {})", short(bound))
    }
}

/// The figures that came nearest to breaking each promise.
#[derive(Default)]
pub(crate) struct Promises(Vec<Figure>);

impl Promises {
    pub(crate) fn add<'f>(&mut self, figures: impl Iterator<Item = &'f Figure>) {
        for figure in figures {
            let Some(Promise { bound, .. }) = figure.promise else { continue };
            match self.0.iter_mut().find(|known| known.name == figure.name) {
                Some(known) => known.value = bound.worse(known.value, figure.value),
                None => self.0.push(figure.clone()),
            }
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(Figure::to_string)
    }
}

/// The figures of all rounds.
pub(crate) struct Report {
    pub(crate) kinds: Vec<Kind>,
    rows: Vec<Row>,
    validity: Validity,
    lost: Vec<String>,
}

/// One figure of one workload.
struct Row {
    workload: String,
    name: &'static str,
    unit: &'static str,
    /// For each kind of server, one for each round.
    values: Vec<Vec<f64>>,
}

impl Report {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        Self { kinds: kinds.to_vec(), rows: Vec::new(), validity: Validity::default(), lost: Vec::new() }
    }

    pub(crate) fn add(&mut self, workload: &str, kind: Kind, figures: Vec<Figure>) {
        let column = self.column(kind).expect("a kind of this report");
        for figure in figures {
            if figure.is_evidence {
                self.validity.add(workload, figure);
                continue;
            }
            let Figure { name, unit, value, .. } = figure;
            let known = self.rows.iter().position(|row| row.workload == workload && row.name == name);
            let row = known.unwrap_or_else(|| {
                let values = vec![Vec::new(); self.kinds.len()];
                self.rows.push(Row { workload: workload.to_owned(), name, unit, values });
                self.rows.len() - 1
            });
            self.rows[row].values[column].push(value);
        }
    }

    /// A server has not done what it was put to: that is a result, too.
    pub(crate) fn lose(&mut self, what: String) {
        self.lost.push(what);
    }

    /// The full name and the unit of a figure, by how the name of its workload begins.
    pub(crate) fn find(&self, workload: &str, figure: &str) -> Option<(&str, &'static str)> {
        self.row(workload, figure).map(|row| (&*row.workload, row.unit))
    }

    pub(crate) fn summary(&self, workload: &str, figure: &str, kind: Kind) -> Option<Summary> {
        Summary::of(&self.row(workload, figure)?.values[self.column(kind)?])
    }

    /// One median as a part of another. There is none of a floor that is no floor.
    pub(crate) fn ratio(&self, workload: &str, figure: &str, ours: Kind, other: Kind) -> Option<f64> {
        let is_measure =
            other != Kind::Floor || self.validity.is_valid(&self.row(workload, figure)?.workload);
        let [own, others] = [ours, other].map(|kind| self.summary(workload, figure, kind));
        is_measure.then_some(own?.median / others?.median)
    }

    fn row(&self, workload: &str, figure: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.workload.starts_with(workload) && row.name == figure)
    }

    fn column(&self, kind: Kind) -> Option<usize> {
        self.kinds.iter().position(|known| *known == kind)
    }
}

/// The values of several rounds.
#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Summary {
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            (values[middle - 1] + values[middle]) / 2.0
        } else {
            values[middle]
        };
        Some(Self { median, least, greatest })
    }
}

/// Three digits, or all before the point.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0..0.1 => format!("{value:.3}"),
        0.1..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_broken_beyond_their_bounds_only() {
        let figure = |value, bound| Figure::new("a", "B", value).promised(bound, Steadiness::Steady);
        for (kept, broken, bound) in [(1.0, 1.1, Bound::AtMost(1.0)), (1.0, 0.9, Bound::AtLeast(1.0))] {
            assert!(!figure(kept, bound).is_broken());
            assert!(figure(broken, bound).is_broken());
        }
        let figures = [0.5, 0.9, 0.7].map(|value| figure(value, Bound::AtMost(1.0)));
        let mut promises = Promises::default();
        promises.add(figures.iter().chain([&Figure::new("b", "B", 1.0)]));
        assert_eq!(promises.lines().collect::<Vec<_>>(), ["a: 0.90 B (promised: at most 1.00)"]);
    }
}
