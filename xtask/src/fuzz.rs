//! Fuzzing with libFuzzer, on stable Rust and without cargo-fuzz: the compiler notes which code an input reaches, and
//! inputs that reach more are kept and changed further.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

use crate::checks::apt_get;
use crate::checks::is_installed;
use crate::counts::FUZZ_SECONDS;
use crate::counts::Scale;
use crate::job::Call;
use crate::job::Halt;
use crate::job::Job;
use crate::job::Outcome;

/// A folder in `fuzz/fuzz_targets` each.
pub(crate) const TARGETS: [&str; 6] = ["codec", "hub", "tokens", "snapshots", "websocket", "guests"];

/// Builds the targets and runs each for a while.
pub(crate) fn check(job: &Job) -> Outcome {
    if !is_installed("c++") {
        // libFuzzer is written in it.
        apt_get(job, "g++")?;
    }
    let triple = triple(job)?;
    job.run(Call::new(&cargo("clippy", &triple, " -- -D warnings")).env("RUSTFLAGS", FLAGS))?;
    job.run(Call::new(&cargo("build", &triple, "")).env("RUSTFLAGS", FLAGS))?;
    let seconds = format!("-max_total_time={}", job.scale.of(&FUZZ_SECONDS));
    // The short run goes the same way each time, so that it fails for what has changed. 0 is a way of its own.
    let seed = if job.scale == Scale::Reduced { "-seed=1" } else { "-seed=0" };
    let mut inputs = 0;
    for target in TARGETS {
        prepare(&job.root, target).map_err(|error| Halt::Failed(error.to_string()))?;
        let line = line(&job.root, target, &triple, &[&seconds, seed, "-print_final_stats=1"]);
        let printed = job.run(line.as_str()).map_err(|halt| with_replay(target, halt))?;
        let ran = printed.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units: "));
        inputs += ran.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    if inputs == 0 { Err(Halt::Failed("nothing was run".to_owned())) } else { Ok(format!("{inputs} inputs")) }
}

/// `cargo xtask fuzz TARGET`: runs one target until it is stopped, with options of libFuzzer; or runs the given files.
pub(crate) fn run(root: &Path, target: &str, arguments: &[String]) -> io::Result<ExitCode> {
    let triple = Command::new("rustc").args(["--print", "host-tuple"]).output()?.stdout;
    let triple = String::from_utf8_lossy(&triple).trim().to_owned();
    prepare(root, target)?;
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    for line in [cargo("build", &triple, ""), line(root, target, &triple, &arguments)] {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        if !command.args(words).current_dir(root).env("RUSTFLAGS", FLAGS).status()?.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn triple(job: &Job) -> Outcome {
    job.read("rustc --print host-tuple").map(|triple| triple.trim().to_owned())
}

/// With a triple the flags are for the targets alone, not for what runs while they are built.
fn cargo(subcommand: &str, triple: &str, rest: &str) -> String {
    format!(
        "cargo {subcommand} -p fuzz --bins --profile fuzz --locked --target {triple} --target-dir {FOLDER}{rest}"
    )
}

/// libFuzzer writes what it finds into the first corpus that it is given; the other stays as it is. Given files
/// it runs those and nothing else.
fn line(root: &Path, target: &str, triple: &str, arguments: &[&str]) -> String {
    let mut words = vec![format!("{FOLDER}/{triple}/fuzz/{target}")];
    words.extend(arguments.iter().map(ToString::to_string));
    // An input takes microseconds.
    words.push("-timeout=10".to_owned());
    words.push(format!("-artifact_prefix={FOLDER}/artifacts/{target}/"));
    if arguments.iter().all(|argument| argument.starts_with('-')) {
        let dictionary = format!("fuzz/{target}.dict");
        if root.join(&dictionary).exists() {
            words.push(format!("-dict={dictionary}"));
        }
        words.extend([format!("{FOLDER}/corpus/{target}"), format!("fuzz/corpus/{target}")]);
    }
    words.join(" ")
}

fn prepare(root: &Path, target: &str) -> io::Result<()> {
    let folder = |kind: &str| root.join(FOLDER).join(kind).join(target);
    fs::create_dir_all(folder("corpus")).and_then(|()| fs::create_dir_all(folder("artifacts")))
}

/// What went wrong, without the progress before it, and how to see it again.
fn with_replay(target: &str, halt: Halt) -> Halt {
    let Halt::Failed(printed) = halt else { return halt };
    let mut lines: Vec<_> = printed.lines().filter(|line| !line.starts_with('#')).collect();
    let input =
        lines.iter().find_map(|line| line.split_once("Test unit written to ")).map(|(_, input)| input);
    let replay = input.map(|input| format!("Again: cargo xtask fuzz {target} {input}"));
    lines.extend(replay.as_deref());
    Halt::Failed(lines.join("\n"))
}

const FOLDER: &str = "target/fuzz";

/// What cargo-fuzz passes, but for the sanitizers, which need nightly: our code has no `unsafe` that they could check.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares";
