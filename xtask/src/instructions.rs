//! How many instructions the core needs for a frame, counted by Valgrind. The figures are the same in each run, but for
//! some instructions that a randomly keyed hash costs now and then, so the table that is committed tells from which
//! commit on it needs more.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

use serde_json::Value;

use crate::checks::is_installed;
use crate::counts::Scale;
use crate::job::Halt;
use crate::job::Job;
use crate::job::Outcome;

/// What needs how many, with the compiler that has decided on them.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    compiler: String,
    rows: Vec<(String, u64)>,
}

/// `cargo xtask instructions`: counts, compares with what is committed, and writes the table for the next commit.
pub(crate) fn run(root: &Path) -> ExitCode {
    let counted = count(root).and_then(|now| {
        let before = committed(root)?;
        println!("{}", now.beside(&before));
        fs::write(root.join(FILE), now.text()).map_err(|error| Halt::Failed(format!("{FILE}: {error}")))
    });
    match counted {
        Ok(()) => ExitCode::SUCCESS,
        Err(Halt::Failed(why) | Halt::CannotRun(why) | Halt::Optional(why)) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Nothing needs many more than is committed. With another compiler there is nothing to compare.
pub(crate) fn check(job: &Job) -> Outcome {
    if job.scale == Scale::Reduced {
        return Err(Halt::Optional("with --full only: it takes a release build".to_owned()));
    }
    let before = committed(&job.root)?;
    let compiler = read(&job.root, "rustc", &["--version"])?;
    if before.compiler != compiler.trim() {
        return Err(Halt::Optional(format!("{FILE} is of {}", before.compiler)));
    }
    let now = count(&job.root)?;
    let grown =
        |(name, count): &&(String, u64)| before.of(name).is_none_or(|before| *count > before + before / 20);
    match now.rows.iter().find(grown) {
        Some(_) => Err(Halt::Failed(now.beside(&before))),
        None => Ok(format!("{} counts", now.rows.len())),
    }
}

fn count(root: &Path) -> Result<Table, Halt> {
    if !is_installed("valgrind") {
        return Err(Halt::CannotRun("install valgrind, e.g. by apt-get as root".to_owned()));
    }
    let build = ["bench", "-p", "signal-core", "--bench", "instructions", "--no-run", "--locked"];
    let built = read(root, "cargo", &[&build[..], &["--message-format=json"]].concat())?;
    let program = built
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|artifact| artifact["target"]["name"] == "instructions")
        .find_map(|artifact| artifact["executable"].as_str().map(ToOwned::to_owned))
        .ok_or_else(|| Halt::Failed("cargo has named no program".to_owned()))?;
    let names = read(root, &program, &[])?;
    let rows = names.lines().map(|name| Ok((name.to_owned(), collected(&program, name)?)));
    let compiler = read(root, "rustc", &["--version"])?.trim().to_owned();
    Ok(Table { compiler, rows: rows.collect::<Result<_, Halt>>()? })
}

/// How many instructions the program needs for one thing, from entry into its function `measured` to return.
fn collected(program: &str, name: &str) -> Result<u64, Halt> {
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*instructions*measured*",
        ])
        .args([program, name])
        .output()
        .map_err(|error| Halt::Failed(format!("valgrind: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stderr);
    let collected = printed.lines().find_map(|line| line.split_once("Collected : "));
    collected
        .and_then(|(_, count)| count.trim().parse().ok())
        .filter(|count| *count > 0 && output.status.success())
        .ok_or_else(|| Halt::Failed(format!("{name} was not counted:\n{printed}")))
}

fn committed(root: &Path) -> Result<Table, Halt> {
    Ok(Table::parse(&read(root, "git", &["show", &format!("HEAD:{FILE}")])?))
}

fn read(root: &Path, program: &str, arguments: &[&str]) -> Result<String, Halt> {
    let failed =
        |why: &dyn std::fmt::Display| Halt::Failed(format!("{program} {}: {why}", arguments.join(" ")));
    let output =
        Command::new(program).args(arguments).current_dir(root).output().map_err(|error| failed(&error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(&String::from_utf8_lossy(&output.stderr)))
    }
}

impl Table {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
        let compiler = lines.next().map_or("", |(_, compiler)| compiler).to_owned();
        let rows = lines.filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
        Self { compiler, rows: rows.collect() }
    }

    fn text(&self) -> String {
        let rows: String = self.rows.iter().map(|(name, count)| format!("{name}\t{count}\n")).collect();
        format!("frame/members\t{}\n{rows}", self.compiler)
    }

    fn of(&self, name: &str) -> Option<u64> {
        self.rows.iter().find(|(row, _)| row == name).map(|(_, count)| *count)
    }

    /// For people: what has changed since `before`.
    fn beside(&self, before: &Self) -> String {
        let mut text = format!("{:<22} {:>12} {:>12}\n", "frame/members", "committed", "now");
        for (name, count) in &self.rows {
            let (was, change) = match before.of(name) {
                Some(was) => {
                    (was.to_string(), format!("{:+.1} %", (*count as f64 / was as f64 - 1.0) * 100.0))
                }
                None => (String::new(), "new".to_owned()),
            };
            // A `String` always has room.
            let _ = writeln!(text, "{name:<22} {was:>12} {count:>12} {change:>9}");
        }
        if before.compiler != self.compiler {
            let _ = writeln!(text, "committed: {}; now: {}", before.compiler, self.compiler);
        }
        text
    }
}

const FILE: &str = "signal-core/benches/instructions.tsv";
