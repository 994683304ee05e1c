//! The page.

use std::fmt::Write;

use super::{
    Sweep,
    brims::Brims,
    curves::{Curve, Curves},
};
use crate::report::{Summary, short};

pub(super) fn page(notes: &[String], sweeps: &[Sweep], curves: &Curves, brims: &Brims) -> String {
    let mut page = INTRODUCTION.to_owned();
    // Writing to a `String` does not fail.
    notes.iter().for_each(|note| writeln!(page, "- {note}").unwrap_or_default());
    for (index, sweep) in sweeps.iter().enumerate() {
        write!(page, "\n## By {}\n\n{}\n\n", sweep.size, sweep.about).unwrap_or_default();
        let sizes: Vec<_> = sweep.steps.iter().map(|(size, _)| grouped(*size)).collect();
        write!(page, "| figure | server | {} | grows as |\n|---|---|", sizes.join(" | ")).unwrap_or_default();
        page += &"---:|".repeat(sizes.len() + 1);
        page += "\n";
        for figure in sweep.figures {
            curves.of(index, figure).for_each(|curve| page += &row(figure, curve));
        }
    }
    page += BRIMS;
    for (bound, kind, brim) in brims.iter() {
        let outside: Vec<_> =
            brim.outside.iter().map(|(answer, number)| format!("{number}: {answer}")).collect();
        let [before, during] = [brim.before, brim.during].map(|latency| short(latency / 1e3));
        writeln!(
            page,
            "| {bound} | {} | {} | {} | {before} | {during} |",
            kind.name(),
            grouped(brim.inside),
            outside.join("; ")
        )
        .unwrap_or_default();
    }
    page
}

fn row(figure: &str, curve: &Curve) -> String {
    let cell = |summary: Option<Summary>| match summary {
        Some(Summary { median, least, greatest }) => {
            let [median, least, greatest] = [median, least, greatest].map(short);
            format!("{median} [{least} .. {greatest}]")
        }
        None => "-".to_owned(),
    };
    let cells: Vec<_> = curve.at_all_sizes().map(cell).collect();
    format!(
        "| {figure}, {} | {} | {} | {} |\n",
        curve.unit,
        curve.kind.name(),
        cells.join(" | "),
        curve.power().map_or("-".to_owned(), |power| format!("n^{power:.2}"))
    )
}

/// With commas between thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

const INTRODUCTION: &str = "\
# How cost grows

Written by `cargo xtask bench -- --growth`.

![Memory and CPU time by the number of connections, channels and members, on logarithmic scales](images/growth.svg)

CPU time and memory are those of the server's process. Each step has a server of its own, and every message is verified.
`grows as` is the power of the size that fits best: n^0 is flat, n^1 in proportion. At few connections what the server
needs once weighs in the memory of each.

";

const BRIMS: &str = "
## When there is no place for more

Clients come until one gets no place; from then on up to 200 a second come in vain, while 50 pairs that are inside relay
10,000 messages a second. None of these is lost; the latency is what 99 % of them keep to, in ms, before and meanwhile.
Where a server has no more files, those who come wait in the backlog of its listener.

| what keeps them out | server | inside | outside, by what they hear | before | meanwhile |
|---|---|---:|---|---:|---:|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([7, 999, 1_000, 1_234_567].map(grouped), ["7", "999", "1,000", "1,234,567"]);
    }
}
