//! The page about what was measured, with its picture, and the figures in the README.

use std::{fs, ops::Range};

use crate::{Result, goals, headlines, machine, picture, report::Report};

/// Everything in Markdown. `commit` is what was measured; `notes` tell of the machine and the servers, and what was
/// changed for the sake of measuring.
pub(crate) fn page(commit: &str, notes: &[String], report: &Report) -> String {
    // A frame that was not as expected may be long.
    let lost: Vec<String> = report.lost().iter().map(|line| line.chars().take(300).collect()).collect();
    let [notes, behind, lost] = [
        list(notes, "Nothing."),
        list(&report.behind(), "Nowhere."),
        list(&lost, "Nothing: each message arrived once, unchanged, and in its place."),
    ];
    let [headlines, goals, validity] = [headlines::table(report), goals::judge(report), report.validity()];
    let [figures, ratios] = [report.figures(), report.ratios()];
    format!(
        "{HEAD}\n\nWritten by `cargo xtask bench` at commit {commit} on {}.\n\n{PICTURE_LINE}\n\n{BEGIN}\n{headlines}{END}\n\n\
         {HOW}\n{notes}\n\
         ## Goals\n\n{GOALS}\n\n{goals}\n\
         ## The floor\n\n{FLOOR}\n{validity}\n\
         ## Where others are ahead\n\n{behind}\n\
         ## What was lost\n\n{lost}\n\
         ## All figures\n\nMedians of all rounds, with the least and the greatest value.\n\n{figures}\
         ## Side by side\n\nOur medians as parts of those of the others; below 1 is less.\n\n{ratios}",
        machine::date(),
    )
}

/// Writes the page and the picture, and puts the figures into the README.
pub(crate) fn write(page: &str, report: &Report) -> Result<()> {
    fs::write(PAGE, page)?;
    fs::write(PICTURE, picture::draw(report))?;
    let mut readme = fs::read_to_string(README)?;
    let place = figures(&readme).ok_or("the README has no place for figures")?;
    readme.replace_range(place, &page[figures(page).ok_or("the page has no figures")?]);
    Ok(fs::write(README, readme)?)
}

/// Where the figures stand that the page and the README share.
fn figures(text: &str) -> Option<Range<usize>> {
    let start = text.find(BEGIN)?;
    Some(start..start + text[start..].find(END)?)
}

fn list(lines: &[String], none: &str) -> String {
    match lines {
        [] => format!("{none}\n"),
        // One line each, whatever is quoted in it.
        lines => lines.iter().map(|line| format!("- {}\n", line.replace('\n', " "))).collect(),
    }
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/images/performance.svg");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

const BEGIN: &str = "<!-- figures of docs/performance.md, written by `cargo xtask bench` -->";
const END: &str = "<!-- end of the figures -->";
const PICTURE_LINE: &str = "![What each server spends on a message, on a call, on a connection that rests, and when many come at once](images/performance.svg)";

const HEAD: &str = "# How fast";

const HOW: &str = "\
## How it is measured

Each server is a process of its own on the loopback interface, started afresh for each workload; the rounds of all
servers are interleaved. CPU time is that of all threads of the server's process (`/proc/PID/task/*/schedstat`), memory its
resident memory (`VmRSS`), which has no memory of the kernel in it. One thread generates all load. Every message carries a
number and is compared byte for byte where it arrives. Ratios hold from machine to machine, absolute figures do not.

Our servers run as by default: with sessions, acknowledgements, heartbeats, bounds, rates, metrics and a log at `info`.
The others run as their users run them (`bench/rivals`). Bounds
that are raised are named below; those of one address do not hold on the loopback interface.

- **idle**: connections in channels of two that rest; then each pair makes one call.
- **call, fresh connections**: two new connections, which join a channel, exchange an offer and an answer of 3 KB and
  ten candidates of 200 bytes each way, and leave; 16 calls at a time. **persistent**: the same exchange, over connections
  that stay.
- **relay**: pairs send each other candidates of 200 bytes as fast as it goes. **paced**: the same at a fixed rate;
  latency counts from the moment at which a message was to be sent.
- **storm**: all join one channel at once, and each must be told of each. matchbox tells the older of two alone, so it has
  half to tell; PeerServer has no channels.

This time:
";

const GOALS: &str = "Our medians as parts of those of the others, or in their unit; both adapters.";

const FLOOR: &str = "\
The floor is the least that a server can do: one thread, epoll, and for each message one `recv` and one `send`; it knows
no JSON, no sessions and no timers. What joins cause it sends together. Where it does more than it must, it is no floor, and
nothing is measured by it. Paced messages come one at a time, so each may wake it once. A fresh connection takes calls of its
own, which are not counted. In a storm, it has to send at least ten notices at once.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_figures_of_the_page() {
        let [readme, page] = [README, PAGE].map(|file| fs::read_to_string(file).unwrap());
        assert_eq!(readme[figures(&readme).unwrap()], page[figures(&page).unwrap()]);
    }
}
