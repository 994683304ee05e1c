//! The picture for the README: a row for each server, a column of bars for each headline.

use crate::{
    headlines::{HEADLINES, Headline},
    report::{Report, Summary, short},
    svg::{Anchor, Svg},
};

pub(crate) fn draw(report: &Report) -> String {
    let height = HEAD + report.kinds.len() as f64 * ROW + FOOT;
    let width = LEFT + HEADLINES.len() as f64 * COLUMN;
    let mut svg = Svg::new(width, height, "What each server spends on the same; less is better");
    for (row, kind) in report.kinds.iter().enumerate() {
        let class = if kind.is_ours() { "strong" } else { "" };
        svg.text((LEFT - 14.0, middle(row) + 4.0), Anchor::End, class, kind.name());
    }
    for (column, headline) in HEADLINES.iter().enumerate() {
        draw_column(&mut svg, report, headline, LEFT + column as f64 * COLUMN);
    }
    svg.text((LEFT, height - 12.0), Anchor::Start, "soft", FOOTNOTE);
    svg.finish()
}

fn draw_column(svg: &mut Svg, report: &Report, headline: &Headline, left: f64) {
    svg.text((left, 26.0), Anchor::Start, "strong", headline.title);
    svg.text((left, 42.0), Anchor::Start, "soft", headline.unit);
    let summaries: Vec<_> = report.kinds.iter().map(|kind| headline.of(report, *kind)).collect();
    let most = summaries.iter().flatten().map(|summary| summary.greatest).fold(0.0, f64::max);
    let x = |value: f64| left + value / most * BAR;
    for (row, (kind, summary)) in report.kinds.iter().zip(&summaries).enumerate() {
        let Some(Summary { median, least, greatest }) = *summary else {
            svg.text((left + 4.0, middle(row) + 4.0), Anchor::Start, "soft", "not measured");
            continue;
        };
        let title = format!("{}: {} {}", kind.name(), short(median), headline.unit);
        svg.bar(*kind, (left, middle(row) - THICK / 2.0), (x(median) - left, THICK), &title);
        svg.whisker((x(least), x(greatest)), middle(row));
        svg.text((x(greatest).max(x(median)) + 6.0, middle(row) + 4.0), Anchor::Start, "", &short(median));
    }
    svg.rule((left, HEAD - 4.0), (left, HEAD + report.kinds.len() as f64 * ROW));
}

fn middle(row: usize) -> f64 {
    HEAD + (row as f64 + 0.5) * ROW - 2.0
}

const FOOTNOTE: &str =
    "Less is better. Medians of all rounds; the thin lines reach from the least to the greatest.";

/// For the names of the servers.
const LEFT: f64 = 152.0;
/// For the titles.
const HEAD: f64 = 56.0;
const FOOT: f64 = 34.0;
const COLUMN: f64 = 186.0;
/// The longest bar. The rest of a column is for its number.
const BAR: f64 = 126.0;
const ROW: f64 = 26.0;
const THICK: f64 = 14.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adapter, report::Figure, rivals::Rival, server::Kind};

    #[test]
    fn the_longest_bar_is_that_of_the_most_and_who_was_not_measured_is_told() {
        let (ours, rival) = (Kind::Ours(Adapter::Axum), Kind::Rival(Rival::NodeWs));
        let mut report = Report::new(&[ours, rival]);
        for (kind, value) in [(ours, 2.0), (rival, 8.0)] {
            report.add("paced, 2 pairs", kind, vec![Figure::new("CPU per message", "µs", value)]);
        }
        let picture = draw(&report);
        for width in [BAR / 4.0, BAR] {
            assert!(picture.contains(&format!("width=\"{width:.1}\"")), "{picture}");
        }
        assert_eq!(picture.matches("not measured").count(), 2 * (HEADLINES.len() - 1));
    }
}
