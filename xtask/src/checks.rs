//! Every check there is, cheap ones first.

use std::env;
use std::fs;
use std::path::Path;

use crate::autobahn;
use crate::counts::Scale;
use crate::fuzz;
use crate::graph;
use crate::instructions;
use crate::job::Call;
use crate::job::Halt;
use crate::job::Job;
use crate::job::Outcome;

/// One named check.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Job) -> Outcome,
}

pub(crate) const CHECKS: &[Check] = &[
    Check { name: "fmt", what: "Rust code is formatted", run: fmt },
    Check { name: "file-length", what: "no code file is longer than 500 lines", run: file_length },
    Check { name: "arrows", what: "crates depend on each other in one direction only", run: graph::arrows },
    Check { name: "core-is-pure", what: "the core has no IO, clock or thread", run: graph::core_is_pure },
    Check { name: "deny", what: "licences and sources of all dependencies", run: deny },
    Check { name: "clippy", what: "lints of all crates and their tests", run: clippy },
    Check { name: "docs", what: "cargo doc warns about nothing", run: docs },
    Check { name: "rust", what: "Rust unit, integration, property and doc tests", run: rust },
    Check {
        name: "instructions",
        what: "the core needs no more than was committed",
        run: instructions::check,
    },
    Check { name: "autobahn", what: "the adapters' WebSockets, by RFC 6455", run: autobahn::autobahn },
    Check { name: "fuzz", what: "inputs that look for a way to break something", run: fuzz::check },
    Check { name: "matchbox", what: "published clients of matchbox, which are no browsers", run: matchbox },
    Check { name: "js", what: "the JS client's types and unit tests", run: js },
    Check {
        name: "client-size",
        what: "the JS client's size beside those of other libraries",
        run: client_size,
    },
    Check { name: "bench", what: "the load generator, for a moment: delivery, memory, gauges", run: bench },
    Check { name: "promises", what: "memory, gauges, latency and pace under the full load", run: promises },
    Check { name: "e2e", what: "real Chromium and Firefox against the demo server", run: e2e },
];

fn fmt(job: &Job) -> Outcome {
    job.run("cargo fmt --all --check")?;
    Ok(String::new())
}

fn file_length(job: &Job) -> Outcome {
    let listed = job.read("git ls-files --cached --others --exclude-standard")?;
    let code = listed.lines().map(Path::new).filter(|path| {
        path.extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| CODE.contains(&extension))
    });
    let mut files = 0;
    let mut long = Vec::new();
    for path in code {
        // A file that is deleted and not yet committed is still listed.
        let Ok(text) = fs::read_to_string(job.root.join(path)) else { continue };
        files += 1;
        let lines = text.lines().count();
        if lines > MOST_LINES {
            long.push(format!("{} has {lines} lines", path.display()));
        }
    }
    if long.is_empty() { Ok(format!("{files} files")) } else { Err(Halt::Failed(long.join("\n"))) }
}

fn deny(job: &Job) -> Outcome {
    if job.read("cargo deny --version").is_err() {
        return Err(Halt::Optional("cargo install --locked cargo-deny would enable it".to_owned()));
    }
    job.run("cargo deny --locked check bans licenses sources")?;
    Ok(String::new())
}

fn clippy(job: &Job) -> Outcome {
    job.run("cargo clippy --workspace --all-targets --all-features --locked -- -D warnings")?;
    Ok(String::new())
}

fn docs(job: &Job) -> Outcome {
    job.run(
        Call::new("cargo doc --workspace --no-deps --all-features --locked")
            .env("RUSTDOCFLAGS", "-Dwarnings"),
    )?;
    Ok(String::new())
}

fn rust(job: &Job) -> Outcome {
    // Most of the time the tests with sockets wait.
    let test = Call::new("cargo test --workspace --all-features --locked").env("RUST_TEST_THREADS", "6");
    let output = job.run(test)?;
    let passed =
        output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")).filter_map(first_number);
    some_tests(passed.sum())
}

fn matchbox(job: &Job) -> Outcome {
    if job.scale == Scale::Reduced {
        return Err(Halt::Optional("with --full only: it takes minutes to compile".to_owned()));
    }
    let output = job.run("cargo run --locked --manifest-path e2e/matchbox/Cargo.toml")?;
    let met = output.lines().filter(|line| line.ends_with(": ok")).count();
    if met == 0 { Err(Halt::Failed("nobody has met".to_owned())) } else { Ok(format!("{met} rooms")) }
}

fn js(job: &Job) -> Outcome {
    node_project(job, "js-client")?;
    job.run(Call::new("npm run types").within("js-client"))?;
    node_tests(job, "js-client")
}

fn client_size(job: &Job) -> Outcome {
    if job.scale == Scale::Reduced {
        return Err(Halt::Optional("with --full only: it downloads the other libraries".to_owned()));
    }
    node_project(job, "bench/client-size")?;
    let table = job.run(Call::new("npm start").within("bench/client-size"))?;
    let bytes = table
        .lines()
        .find(|row| row.starts_with("| signal-client"))
        .and_then(|row| row.split('|').map(str::trim).rev().nth(2));
    bytes.map(|bytes| format!("{bytes} bytes")).ok_or_else(|| Halt::Failed(table.clone()))
}

fn bench(job: &Job) -> Outcome {
    if !job.root.join("bench/src/main.rs").exists() {
        return Err(Halt::CannotRun("bench/src/main.rs does not exist".to_owned()));
    }
    // The release build alone takes longer than all the rest of this check.
    let profile = if job.scale == Scale::Full { "release" } else { "dev" };
    job.run(format!("cargo run --profile {profile} --locked -p bench -- --smoke").as_str())?;
    Ok(String::new())
}

fn promises(job: &Job) -> Outcome {
    if job.scale == Scale::Reduced {
        return Err(Halt::Optional("with --full only: it takes a release build and some minutes".to_owned()));
    }
    let output = job.run("cargo run --release --locked -p bench -- --promises")?;
    let kept: Vec<_> = output.lines().filter(|line| line.contains(" (promised: ")).collect();
    if kept.is_empty() {
        Err(Halt::Failed("no promise was looked at".to_owned()))
    } else {
        Ok(kept.join("; "))
    }
}

fn e2e(job: &Job) -> Outcome {
    node_project(job, "e2e")?;
    let missing: Vec<_> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| package)
        .collect();
    if !missing.is_empty() {
        apt_get(job, &missing.join(" "))?;
    }
    if !is_installed(SHELL) {
        // Where there is none, the tests start all of Chromium instead, which takes them twice as long.
        let _ = apt_get(job, SHELL);
    }
    node_tests(job, "e2e")
}

/// Installs what the lock file of `folder` names.
fn node_project(job: &Job, folder: &str) -> Result<(), Halt> {
    if !job.root.join(folder).join("package-lock.json").exists() {
        return Err(Halt::CannotRun(format!("{folder}/package-lock.json does not exist")));
    }
    if !is_installed("node") || !is_installed("npm") {
        return Err(Halt::CannotRun("install Node.js 20 or newer, with npm".to_owned()));
    }
    job.run(Call::new("npm ci --no-audit --no-fund").within(folder))?;
    Ok(())
}

/// A test that Node.js skips is one that cannot run here: that fails where a check that cannot run does.
fn node_tests(job: &Job, folder: &str) -> Outcome {
    let output = job.run(Call::new("npm test").within(folder))?;
    // The counts come last, after whatever the tests printed.
    let number = |word: &str| {
        output.lines().rev().filter_map(|line| line.split_once(word)).find_map(|(_, rest)| first_number(rest))
    };
    let passed = some_tests(number(" pass ").unwrap_or(0))?;
    match number(" skipped ").unwrap_or(0) {
        0 => Ok(passed),
        skipped if job.is_strict => Err(Halt::Failed(format!("{skipped} tests were skipped\n{output}"))),
        skipped => Ok(format!("{passed}, {skipped} SKIPPED: see {}", job.log.display())),
    }
}

/// Installs Debian packages where that is possible without asking anybody.
pub(crate) fn apt_get(job: &Job, packages: &str) -> Result<(), Halt> {
    let is_root = job.read("id -u").is_ok_and(|id| id.trim() == "0");
    if !is_root || !is_installed("apt-get") {
        return Err(Halt::CannotRun(format!("install {packages}, e.g. by apt-get as root")));
    }
    job.run("apt-get update")?;
    let install = format!("apt-get install -y --no-install-recommends {packages}");
    job.run(Call::new(&install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    Ok(())
}

pub(crate) fn is_installed(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// A runner that finds no test succeeds: here that is a failure.
fn some_tests(passed: u32) -> Outcome {
    if passed == 0 { Err(Halt::Failed("no test was run".to_owned())) } else { Ok(format!("{passed} tests")) }
}

fn first_number(text: &str) -> Option<u32> {
    text.split_whitespace().next()?.parse().ok()
}

/// What a reader still takes in as one thing.
const MOST_LINES: usize = 500;
const CODE: [&str; 9] = ["rs", "js", "mjs", "cjs", "ts", "html", "css", "py", "sh"];
/// What the browser tests start, and the Debian packages that it is in.
const PROGRAMS: [(&str, &str); 3] =
    [("chromium", "chromium"), ("firefox-esr", "firefox-esr"), ("turnserver", "coturn")];
/// Program and package: Chromium without what is around a page, which not every system has a package of.
const SHELL: &str = "chromium-headless-shell";
