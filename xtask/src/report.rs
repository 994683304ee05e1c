//! The closing table, on the terminal and in `docs/verified.md`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::checks::Check;
use crate::counts::COUNTS;
use crate::counts::Scale;
use crate::job::Finished;

/// All checks of one run.
#[derive(Debug)]
pub(crate) struct Report {
    scale: Scale,
    rows: Vec<(&'static Check, Finished)>,
}

impl Report {
    pub(crate) fn new(scale: Scale) -> Self {
        Self { scale, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, check: &'static Check, finished: Finished) {
        self.rows.push((check, finished));
    }

    pub(crate) fn is_success(&self) -> bool {
        !self.rows.iter().any(|(_, finished)| finished.is_failure())
    }

    /// Ends with the line that machines read, alone on its line.
    pub(crate) fn print(&self) {
        println!("\n{:<13} {:>9}  result", "check", "seconds");
        for (check, finished) in &self.rows {
            println!("{:<13} {:>9.1}  {}", check.name, finished.took.as_secs_f64(), finished.result());
        }
        println!("\n{}", self.closing_line());
    }

    /// Overwrites `docs/verified.md`.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        let mut text = format!(
            "# Verified\n\nWritten by `cargo xtask test --full` at commit {} on {}.\n\n{}.\n\n",
            commit(root)?,
            ask(root, "date", &["-u", "+%F"])?,
            self.closing_line(),
        );
        text.push_str("| check | what | result | seconds |\n|---|---|---|---:|\n");
        for (check, finished) in &self.rows {
            let seconds = finished.took.as_secs_f64();
            writeln!(text, "| {} | {} | {} | {seconds:.1} |", check.name, check.what, finished.result())
                .map_err(io::Error::other)?;
        }
        text.push_str("\n| count | what | rounds |\n|---|---|---:|\n");
        for count in COUNTS {
            writeln!(text, "| {} | {} | {} |", count.name, count.what, self.scale.of(count))
                .map_err(io::Error::other)?;
        }
        fs::create_dir_all(root.join("docs"))?;
        fs::write(root.join(FILE), text)
    }

    fn closing_line(&self) -> String {
        let failed = self.rows.iter().filter(|(_, finished)| finished.is_failure()).count();
        let passed = self.rows.iter().filter(|(_, finished)| finished.outcome.is_ok()).count();
        format!("{passed} passed, {failed} failed, {} skipped", self.rows.len() - passed - failed)
    }
}

fn commit(root: &Path) -> io::Result<String> {
    let commit = ask(root, "git", &["rev-parse", "--short=12", "HEAD"])?;
    // The file itself is changed by the run before, which says nothing about what was checked.
    let changes = ask(root, "git", &["status", "--porcelain", "--", ".", &format!(":!{FILE}")])?;
    Ok(if changes.is_empty() { commit } else { format!("{commit} with uncommitted changes") })
}

fn ask(root: &Path, program: &str, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

const FILE: &str = "docs/verified.md";
