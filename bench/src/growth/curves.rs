//! What was measured at which size.

use super::Sweep;
use crate::{
    report::{Figure, Summary},
    server::Kind,
};

/// One for each figure of each sweep and each server that it was measured for.
pub(super) struct Curves {
    kinds: Vec<Kind>,
    curves: Vec<Curve>,
}

/// A figure of one server at all sizes.
pub(super) struct Curve {
    sweep: usize,
    figure: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: &'static str,
    /// For each step of the sweep, one for each round.
    values: Vec<Vec<f64>>,
    sizes: Vec<usize>,
}

impl Curves {
    pub(super) fn new(sweeps: &[Sweep], kinds: &[Kind]) -> Self {
        let curve = |sweep: usize, figure, kind| {
            let sizes: Vec<_> = sweeps[sweep].steps.iter().map(|(size, _)| *size).collect();
            Curve { sweep, figure, kind, unit: "", values: vec![Vec::new(); sizes.len()], sizes }
        };
        let mut curves = Vec::new();
        for (index, sweep) in sweeps.iter().enumerate() {
            for figure in sweep.figures {
                curves.extend(kinds.iter().map(|kind| curve(index, *figure, *kind)));
            }
        }
        Self { kinds: kinds.to_vec(), curves }
    }

    pub(super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(super) fn add(&mut self, sweep: usize, kind: Kind, size: usize, figures: &[Figure]) {
        for curve in self.curves.iter_mut().filter(|curve| curve.sweep == sweep && curve.kind == kind) {
            let step = curve.sizes.iter().position(|known| *known == size);
            let figure = figures.iter().find(|figure| figure.name == curve.figure);
            if let (Some(step), Some(figure)) = (step, figure) {
                curve.unit = figure.unit;
                curve.values[step].push(figure.value);
            }
        }
    }

    /// Those of one figure, without servers for which there is none.
    pub(super) fn of(&self, sweep: usize, figure: &str) -> impl Iterator<Item = &Curve> {
        self.curves
            .iter()
            .filter(move |curve| curve.sweep == sweep && curve.figure == figure)
            .filter(|curve| curve.points().next().is_some())
    }
}

impl Curve {
    /// What was measured at each size, if anything was.
    pub(super) fn at_all_sizes(&self) -> impl Iterator<Item = Option<Summary>> {
        self.values.iter().map(|values| Summary::of(values))
    }

    /// The sizes at which something was measured, and the medians.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let sizes = self.sizes.iter().map(|size| *size as f64);
        sizes.zip(self.at_all_sizes()).filter_map(|(size, summary)| Some((size, summary?.median)))
    }

    /// The power of the size with which the figure grows: the slope of a line through the logarithms, by least squares.
    pub(super) fn power(&self) -> Option<f64> {
        let points: Vec<_> = self
            .points()
            .filter(|(_, value)| *value > 0.0)
            .map(|(size, value)| (size.ln(), value.ln()))
            .collect();
        let number = points.len() as f64;
        let mean_size = points.iter().map(|(size, _)| size).sum::<f64>() / number;
        let mean_value = points.iter().map(|(_, value)| value).sum::<f64>() / number;
        let rise: f64 = points.iter().map(|(size, value)| (size - mean_size) * (value - mean_value)).sum();
        let run: f64 = points.iter().map(|(size, _)| (size - mean_size).powi(2)).sum();
        (run > 0.0).then(|| rise / run)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Adapter, workload::Workload};

    #[test]
    fn powers_are_those_by_which_the_figures_were_made() {
        let workload = Workload::Relay { pairs: 1, time: Duration::ZERO };
        let sizes = [10, 100, 1_000];
        let steps = sizes.map(|size| (size, workload)).to_vec();
        let sweeps = [Sweep { size: "", about: "", steps, figures: &["flat", "square"] }];
        let kind = Kind::Ours(Adapter::Axum);
        let mut curves = Curves::new(&sweeps, &[kind, Kind::Floor]);
        for size in sizes {
            let square = (size * size) as f64;
            curves.add(0, kind, size, &[Figure::new("flat", "B", 7.0), Figure::new("square", "B", square)]);
        }
        let power = |figure| curves.of(0, figure).filter_map(Curve::power).collect::<Vec<_>>();
        assert!(matches!(power("flat")[..], [flat] if flat.abs() < 1e-9));
        assert!(matches!(power("square")[..], [square] if (square - 2.0).abs() < 1e-9));
    }
}
