//! The tables of what was measured, in Markdown.

use std::fmt::Write;

use super::{Report, Row, Summary, short};
use crate::{rivals::Rival, server::Kind};

const NODE_WS: Kind = Kind::Rival(Rival::NodeWs);

impl Report {
    /// A table for each workload: medians with the least and the greatest value.
    pub(crate) fn figures(&self) -> String {
        let mut text = String::new();
        for rows in self.rows.chunk_by(|a, b| a.workload == b.workload) {
            let names: Vec<_> = rows.iter().map(|row| format!(" {}, {} |", row.name, row.unit)).collect();
            // Writing to a `String` does not fail.
            write!(text, "### {}\n\n| server |{}\n", rows[0].workload, names.concat()).unwrap_or_default();
            text += &format!("|---|{}\n", "---:|".repeat(rows.len()));
            for (column, kind) in self.kinds.iter().enumerate() {
                if rows.iter().all(|row| row.values[column].is_empty()) {
                    continue;
                }
                let cells = rows.iter().map(|row| match Summary::of(&row.values[column]) {
                    Some(summary) => format!(" {} |", summary.to_text()),
                    None => " - |".to_owned(),
                });
                writeln!(text, "| {} |{}", kind.name(), cells.collect::<String>()).unwrap_or_default();
            }
            text += "\n";
        }
        text
    }

    /// Our medians as parts of those of the others.
    pub(crate) fn ratios(&self) -> String {
        let (ours, others): (Vec<Kind>, Vec<_>) = self.kinds.iter().partition(|kind| kind.is_ours());
        let names = |kinds: &[Kind], between: &str| -> String {
            kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(between)
        };
        let mut text = format!("| {} to | | {} |\n", names(&ours, " / "), names(&others, " | "));
        text += &format!("|---|---|{}\n", "---:|".repeat(others.len()));
        for row in &self.rows {
            let cell = |other: &Kind| {
                let ratios = ours.iter().map(|our| self.ratio(&row.workload, row.name, *our, *other));
                let ratios: Vec<_> = ratios.map(|ratio| ratio.map_or("-".to_owned(), short)).collect();
                ratios.join(" / ")
            };
            let cells: Vec<_> = others.iter().map(cell).collect();
            if cells.iter().any(|cell| cell.contains(|character: char| character.is_ascii_digit())) {
                writeln!(text, "| {} | {} | {} |", row.workload, row.name, cells.join(" | "))
                    .unwrap_or_default();
            }
        }
        text
    }

    /// Where the median of a rival is better than one of ours, a line for each.
    pub(crate) fn behind(&self) -> Vec<String> {
        let (ours, others): (Vec<Kind>, Vec<_>) = self.kinds.iter().partition(|kind| kind.is_ours());
        let rivals: Vec<_> = others.into_iter().filter(|kind| matches!(kind, Kind::Rival(_))).collect();
        let mut lines = Vec::new();
        for row in &self.rows {
            let median = |kind: Kind| Some(Summary::of(&row.values[self.column(kind)?])?.median);
            for (our, rival) in ours.iter().flat_map(|our| rivals.iter().map(move |rival| (*our, *rival))) {
                let (Some(own), Some(other)) = (median(our), median(rival)) else { continue };
                if row.is_better(other, own) {
                    let [own, other] = [own, other].map(short);
                    let Row { workload, name, unit, .. } = row;
                    lines.push(format!(
                        "{workload}, {name}: {} {other} {unit}, {} {own} {unit}",
                        rival.name(),
                        our.name()
                    ));
                }
            }
        }
        lines
    }

    /// What the floor does beside what is measured, and how far from it a server is that others have measured.
    pub(crate) fn validity(&self) -> String {
        let known = self.ratio("relay", "CPU per message", NODE_WS, Kind::Floor).map(short);
        let known = known.map(|floors| {
            format!("\nA relay by Node ws costs {floors} floors; another floor, on another machine, said 3.9 to 4.7.\n")
        });
        self.validity.to_markdown() + &known.unwrap_or_default()
    }

    /// What was not done as it has to be, a line for each.
    pub(crate) fn lost(&self) -> &[String] {
        &self.lost
    }
}

impl Row {
    /// Of rates more is better, of all else less.
    fn is_better(&self, a: f64, b: f64) -> bool {
        if self.unit == "1/s" { a > b } else { a < b }
    }
}

impl Summary {
    fn to_text(self) -> String {
        let [median, least, greatest] = [self.median, self.least, self.greatest].map(short);
        format!("{median} [{least} .. {greatest}]")
    }
}

#[cfg(test)]
mod tests {
    use super::NODE_WS;
    use crate::{
        Adapter,
        promise::Bound,
        report::{Figure, Report},
        server::Kind,
    };

    const OURS: Kind = Kind::Ours(Adapter::Axum);

    fn report() -> Report {
        let mut report = Report::new(&[OURS, NODE_WS]);
        for value in [1.0, 4.0, 2.0, 3.0] {
            report.add("relay, 2 pairs", OURS, vec![Figure::new("CPU", "µs", value)]);
        }
        report.add("relay, 2 pairs", NODE_WS, vec![Figure::new("CPU", "µs", 10.0)]);
        report
    }

    #[test]
    fn medians_stand_between_the_extremes() {
        let figures = report().figures();
        let table = "### relay, 2 pairs\n\n| server | CPU, µs |\n|---|---:|\n\
                     | signal-axum | 2.50 [1.00 .. 4.00] |\n| Node ws | 10.0 [10.0 .. 10.0] |\n\n";
        assert_eq!(figures, table);
    }

    #[test]
    fn others_are_the_measure() {
        let ratios = report().ratios();
        assert_eq!(
            ratios,
            "| signal-axum to | | Node ws |\n|---|---|---:|\n| relay, 2 pairs | CPU | 0.25 |\n"
        );
    }

    #[test]
    fn nothing_is_measured_by_a_floor_that_does_too_much() {
        for (recv, expected) in [(1.02, true), (1.03, false)] {
            let mut report = Report::new(&[OURS, NODE_WS, Kind::Floor]);
            let cpu = |value| Figure::new("CPU per message", "µs", value);
            report.add("relay, 2 pairs", NODE_WS, vec![cpu(10.0)]);
            let evidence = Figure::evidence("`recv` per message", "", recv, Some(Bound::AtMost(1.02)));
            report.add("relay, 2 pairs", Kind::Floor, vec![cpu(2.5), evidence]);
            report.add("relay, 2 pairs", OURS, vec![cpu(5.0)]);
            assert_eq!(report.validity().contains("costs 4.00 floors"), expected);
            let is_told = report.ratio("relay, 2 pairs", "CPU per message", OURS, Kind::Floor).is_some();
            assert_eq!(is_told, expected);
        }
    }

    #[test]
    fn who_is_behind_is_told() {
        let mut report = report();
        assert_eq!(report.behind(), [""; 0]);
        for (kind, value) in [(OURS, 1.0), (NODE_WS, 2.0)] {
            let figures = vec![Figure::new("calls", "1/s", value), Figure::new("wait", "ms", value)];
            report.add("call", kind, figures);
        }
        assert_eq!(report.behind(), ["call, calls: Node ws 2.00 1/s, signal-axum 1.00 1/s"]);
    }
}
