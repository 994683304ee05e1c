//! The table.

use std::fmt::{self, Write};

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
    kinds: Vec<Kind>,
    rows: Vec<Row>,
    validity: Validity,
}

struct Row {
    workload: String,
    name: &'static str,
    unit: &'static str,
    /// For each kind of server, one for each round.
    values: Vec<Vec<f64>>,
}

impl Report {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        Self { kinds: kinds.to_vec(), rows: Vec::new(), validity: Validity::default() }
    }

    pub(crate) fn add(&mut self, workload: &str, kind: Kind, figures: Vec<Figure>) {
        let column = self.kinds.iter().position(|known| *known == kind).expect("a kind of this report");
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

    /// Medians with the least and the greatest value, and our medians as parts of those of the rivals and of the floor, where
    /// it is one.
    pub(crate) fn to_markdown(&self) -> String {
        let is_rival = |kind: Kind| !matches!(kind, Kind::Ours(_));
        let columns = self.kinds.iter().copied().enumerate();
        let (rivals, ours): (Vec<_>, Vec<_>) = columns.partition(|(_, kind)| is_rival(*kind));
        let ratios: Vec<_> =
            rivals.iter().flat_map(|rival| ours.iter().map(move |our| (*our, *rival))).collect();

        let mut table = "| workload | figure | unit |".to_owned();
        // Writing to a `String` does not fail.
        self.kinds.iter().for_each(|kind| write!(table, " {} |", kind.name()).unwrap_or_default());
        for ((_, our), (_, rival)) in &ratios {
            write!(table, " {} / {} |", our.name(), rival.name()).unwrap_or_default();
        }
        table += "\n|---|---|---|";
        table += &"---:|".repeat(self.kinds.len() + ratios.len());
        table += "\n";
        for row in &self.rows {
            write!(table, "| {} | {} | {} |", row.workload, row.name, row.unit).unwrap_or_default();
            let summaries: Vec<_> = row.values.iter().map(|values| Summary::of(values)).collect();
            for summary in &summaries {
                match summary {
                    Some(Summary { median, least, greatest }) => {
                        let [median, least, greatest] = [median, least, greatest].map(|value| short(*value));
                        write!(table, " {median} [{least} .. {greatest}] |").unwrap_or_default();
                    }
                    None => table += " - |",
                }
            }
            for ((our, _), (rival, kind)) in &ratios {
                let is_measure = *kind != Kind::Floor || self.validity.is_valid(&row.workload);
                match (&summaries[*our], &summaries[*rival]) {
                    (Some(our), Some(rival)) if is_measure => {
                        write!(table, " {:.2} |", our.median / rival.median).unwrap_or_default();
                    }
                    _ => table += " - |",
                }
            }
            table += "\n";
        }
        table + &self.validity.to_markdown()
    }
}

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
fn short(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adapter, rivals::Rival};

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

    #[test]
    fn medians_stand_between_the_extremes_and_rivals_are_the_measure() {
        let ours = Kind::Ours(Adapter::Axum);
        let rival = Kind::Rival(Rival::NodeWs);
        let mut report = Report::new(&[ours, rival]);
        for value in [1.0, 4.0, 2.0, 3.0] {
            report.add("relay", ours, vec![Figure::new("CPU", "µs", value)]);
        }
        report.add("relay", rival, vec![Figure::new("CPU", "µs", 10.0)]);
        let table = report.to_markdown();
        assert!(
            table.ends_with("| relay | CPU | µs | 2.50 [1.00 .. 4.00] | 10.0 [10.0 .. 10.0] | 0.25 |\n"),
            "{table}"
        );
    }
}
