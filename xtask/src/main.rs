//! The project's own commands: `cargo xtask test` runs every check there is.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

mod autobahn;
mod bench;
mod checks;
mod counts;
mod fuzz;
mod graph;
mod instructions;
mod job;
mod report;

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use crate::checks::CHECKS;
use crate::counts::COUNTS;
use crate::counts::Scale;
use crate::report::Report;

#[derive(Debug, Parser)]
#[command(about = "The project's own commands")]
struct Cli {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Runs the checks in order and ends with a table of them
    Test {
        /// Run with the full counts and, if every check is run, write docs/verified.md
        #[arg(long)]
        full: bool,
        /// Run this check alone; may be given several times
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(CHECKS.iter().map(|check| check.name)))]
        only: Vec<String>,
    },
    /// Fuzzes until it is stopped, or runs the given inputs again
    Fuzz {
        /// Which target
        #[arg(value_parser = PossibleValuesParser::new(fuzz::TARGETS))]
        target: String,
        /// Files to run, or options of libFuzzer such as -max_total_time=60
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
    /// Counts the instructions of the core's benches in Valgrind and writes the table of them
    Instructions,
    /// Measures the server side by side with others and writes docs/performance.md, with its picture and the README's figures
    #[command(disable_help_flag = true)]
    Bench {
        /// Options of the load generator, such as --rounds 7, --only relay or --help
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
    /// Lists the checks, and the counts they run with
    List,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Action::Test { full, only } => test(if full { Scale::Full } else { Scale::Reduced }, &only),
        Action::Fuzz { target, arguments } => {
            fuzz::run(&root(), &target, &arguments).unwrap_or_else(|error| {
                println!("{target} could not be run: {error}");
                ExitCode::FAILURE
            })
        }
        Action::Instructions => instructions::run(&root()),
        Action::Bench { arguments } => bench::run(&root(), &arguments).unwrap_or_else(|error| {
            println!("the load generator could not be run: {error}");
            ExitCode::FAILURE
        }),
        Action::List => {
            list();
            ExitCode::SUCCESS
        }
    }
}

/// The project's folder. `cargo run` says where it found this crate. What was true when it was compiled may not be: two
/// clones can share a target directory.
fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).parent().expect("xtask lies in the workspace").to_owned()
}

fn test(scale: Scale, only: &[String]) -> ExitCode {
    let root = root();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| only == name);

    let mut report = Report::new(scale);
    for check in CHECKS.iter().filter(|check| wanted(check.name)) {
        report.add(check, job::run(check, &root, scale));
    }
    report.print();

    if scale == Scale::Full
        && only.is_empty()
        && let Err(error) = report.write(&root)
    {
        println!("docs/verified.md could not be written: {error}");
        return ExitCode::FAILURE;
    }
    if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn list() {
    println!("Checks (cargo xtask test --only NAME):");
    for check in CHECKS {
        println!("  {:<13} {}", check.name, check.what);
    }
    println!("\nCounts (reduced, and with --full):");
    for count in COUNTS {
        println!("  {:<15} {:>5} {:>5}  {}", count.name, count.reduced, count.full, count.what);
    }
}
