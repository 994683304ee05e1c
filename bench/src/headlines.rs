//! The figures that the README shows, of all that there are.

use std::fmt::Write;

use crate::report::{Report, Summary, short};
use crate::server::Kind;

/// A figure under a short name.
pub(crate) struct Headline {
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    /// How the name of the workload begins.
    workload: &'static str,
    figure: &'static str,
}

pub(crate) const HEADLINES: [Headline; 4] = [
    Headline { title: "CPU per message", unit: "µs", workload: "paced", figure: "CPU per message" },
    Headline { title: "CPU per call", unit: "µs", workload: "call, fresh", figure: "CPU per call" },
    Headline {
        title: "Memory per connection",
        unit: "KiB",
        workload: "idle",
        figure: "memory per connection, settled",
    },
    Headline { title: "CPU when 300 join", unit: "ms", workload: "storm of 300", figure: "CPU" },
];

impl Headline {
    pub(crate) fn of(&self, report: &Report, kind: Kind) -> Option<Summary> {
        report.summary(self.workload, self.figure, kind)
    }
}

/// The medians. The README has the same table.
pub(crate) fn table(report: &Report) -> String {
    let titles: Vec<_> =
        HEADLINES.iter().map(|headline| format!("{}, {}", headline.title, headline.unit)).collect();
    let mut text = format!("| | {} |\n|---|{}\n", titles.join(" | "), "---:|".repeat(HEADLINES.len()));
    for kind in &report.kinds {
        let cell = |headline: &Headline| {
            headline.of(report, *kind).map_or("-".to_owned(), |summary| short(summary.median))
        };
        let cells: Vec<_> = HEADLINES.iter().map(cell).collect();
        // Writing to a `String` does not fail.
        writeln!(text, "| {} | {} |", kind.name(), cells.join(" | ")).unwrap_or_default();
    }
    text
}
