//! The picture: one small plot for each figure, on logarithmic scales, so that what is flat looks flat and what is in
//! proportion has the same slope everywhere.

use super::{
    Sweep,
    curves::{Curve, Curves},
    table::grouped,
};
use crate::{
    report::short,
    svg::{Anchor, Svg},
};

pub(super) fn picture(sweeps: &[Sweep], curves: &Curves) -> String {
    let plots: Vec<_> = sweeps
        .iter()
        .enumerate()
        .flat_map(|(index, sweep)| sweep.figures.iter().map(move |figure| (index, sweep, *figure)))
        .filter_map(|(index, sweep, figure)| Plot::new(sweep, figure, curves.of(index, figure).collect()))
        .collect();
    let rows = plots.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * WIDTH + MARGIN, rows as f64 * HEIGHT + HEAD + MARGIN);
    let mut svg = Svg::new(width, height, "How memory and CPU time grow, on logarithmic scales");
    let mut x = MARGIN + LEFT;
    for kind in curves.kinds() {
        svg.line(*kind, &[(x, HEAD / 2.0), (x + 26.0, HEAD / 2.0)]);
        svg.dot(*kind, (x + 13.0, HEAD / 2.0), kind.name());
        svg.text((x + 34.0, HEAD / 2.0 + 4.0), Anchor::Start, "", kind.name());
        x += 60.0 + 7.0 * kind.name().len() as f64;
    }
    for (place, plot) in plots.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        plot.draw(&mut svg, (MARGIN / 2.0 + column as f64 * WIDTH, HEAD + row as f64 * HEIGHT));
    }
    svg.finish()
}

/// One figure of all servers.
struct Plot<'c> {
    size: &'static str,
    figure: &'static str,
    curves: Vec<&'c Curve>,
    sizes: Vec<usize>,
    /// The powers of ten between which all values lie.
    decades: (i32, i32),
}

impl<'c> Plot<'c> {
    fn new(sweep: &Sweep, figure: &'static str, curves: Vec<&'c Curve>) -> Option<Self> {
        let values = || curves.iter().flat_map(|curve| drawn(curve)).map(|(_, value)| value);
        let (least, most) = (values().min_by(f64::total_cmp)?, values().max_by(f64::total_cmp)?);
        let least = least.log10().floor() as i32;
        let most = (most.log10().ceil() as i32).max(least + 1);
        let sizes = sweep.steps.iter().map(|(size, _)| *size).collect();
        Some(Self { size: sweep.size, figure, curves, sizes, decades: (least, most) })
    }

    fn draw(&self, svg: &mut Svg, (left, top): (f64, f64)) {
        let (x0, x1) = (left + LEFT, left + WIDTH - RIGHT);
        let (y0, y1) = (top + HEIGHT - BOTTOM, top + TOP);
        let unit = self.curves.first().map_or("", |curve| curve.unit);
        svg.text((left + TITLE, top + 14.0), Anchor::Start, "strong", &format!("{}, {unit}", self.figure));
        svg.text((x0, y0 + 30.0), Anchor::Start, "soft", self.size);

        let (least, most) = self.decades;
        let y = |value: f64| y0 - (value.log10() - f64::from(least)) / f64::from(most - least) * (y0 - y1);
        let steps: &[f64] = if most - least == 1 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks =
            (least..=most).flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
        for tick in ticks.filter(|tick| *tick <= 10_f64.powi(most)) {
            svg.rule((x0, y(tick)), (x1, y(tick)));
            svg.text((x0 - 6.0, y(tick) + 4.0), Anchor::End, "soft", &brief(tick));
        }
        let ends =
            self.sizes.first().zip(self.sizes.last()).map(|(a, b)| ((*a as f64).ln(), (*b as f64).ln()));
        let (first, last) = ends.filter(|(first, last)| first < last).unwrap_or((0.0, 1.0));
        let x = |size: f64| x0 + INSET + (size.ln() - first) / (last - first) * (x1 - x0 - 2.0 * INSET);
        let mut right = f64::INFINITY;
        for size in self.sizes.iter().rev().map(|size| *size as f64) {
            // One that would touch the next is left out.
            if right - x(size) >= LABEL {
                right = x(size);
                svg.text((right, y0 + 15.0), Anchor::Middle, "soft", &brief(size));
            }
        }
        for curve in &self.curves {
            let points: Vec<_> = drawn(curve).map(|(size, value)| (x(size), y(value))).collect();
            svg.line(curve.kind, &points);
            for (point, (size, value)) in points.iter().zip(drawn(curve)) {
                let title =
                    format!("{}, {}: {} {unit}", curve.kind.name(), grouped(size as usize), short(value));
                svg.dot(curve.kind, *point, &title);
            }
        }
    }
}

/// What has a logarithm.
fn drawn(curve: &Curve) -> impl Iterator<Item = (f64, f64)> {
    curve.points().filter(|(_, value)| *value > 0.0)
}

/// As short as it gets: 0.01, 5, 200, 20k.
fn brief(number: f64) -> String {
    match number {
        1e6.. => format!("{}M", (number / 1e5).round() / 10.0),
        1e3.. => format!("{}k", (number / 1e3).round()),
        // A power of ten is not always one in binary.
        _ => format!("{}", (number * 1e6).round() / 1e6),
    }
}

const COLUMNS: usize = 4;
/// Of one plot, with its labels.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 200.0;
/// Around what is drawn in it.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 46.0;
/// From the left to the title.
const TITLE: f64 = 22.0;
/// Between the middles of two labels at least.
const LABEL: f64 = 28.0;
/// Between the axis and the first point.
const INSET: f64 = 10.0;
const HEAD: f64 = 40.0;
const MARGIN: f64 = 16.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_axes_are_short() {
        let numbers = [0.1 * 0.1, 0.5, 1.0, 200.0, 1_000.0, 19_936.0, 1e6];
        assert_eq!(numbers.map(brief), ["0.01", "0.5", "1", "200", "1k", "20k", "1M"]);
    }
}
