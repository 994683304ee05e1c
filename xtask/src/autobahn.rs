//! The cases of the Autobahn test suite, against both adapters.

use std::env;
use std::ffi::OsString;
use std::iter;
use std::path::Path;

use crate::checks::apt_get;
use crate::job::Call;
use crate::job::Halt;
use crate::job::Job;
use crate::job::Outcome;

/// Runs the tests that need the runner, which they find in the `PATH`.
///
/// They are built as the other Rust tests are, with all crates, so that nothing is built twice.
pub(crate) fn autobahn(job: &Job) -> Outcome {
    let home = job.log.with_file_name(RUNNER.replace("==", "-"));
    let path = path_with(&home.join("bin"))?;
    if !home.join("bin/kosoku").is_file() {
        install(job, &home, &path)?;
    }
    let test = "cargo test --workspace --all-features --locked --lib -- --ignored autobahn::";
    let output = job.run(Call::new(test).env("PATH", &path))?;
    let passed = output.lines().filter_map(|line| line.strip_suffix(" cases passed"));
    let passed: u32 = passed.filter_map(|number| number.parse::<u32>().ok()).sum();
    if passed == 0 { Err(Halt::Failed("no case was run".to_owned())) } else { Ok(format!("{passed} cases")) }
}

/// Installs the runner into `home`, an environment of its own.
fn install(job: &Job, home: &Path, path: &str) -> Result<(), Halt> {
    // Debian has the module `venv` without what it needs.
    if job.read("python3 -m ensurepip --version").is_err() {
        apt_get(job, "python3-venv")?;
    }
    let (Some(folder), Some(name)) = (home.parent().and_then(Path::to_str), home.file_name()) else {
        return Err(Halt::CannotRun("the project's path is not UTF-8".to_owned()));
    };
    job.run(Call::new(&format!("python3 -m venv --clear {}", name.display())).within(folder))?;
    job.run(Call::new(&format!("pip install --quiet {RUNNER}")).env("PATH", path))?;
    Ok(())
}

/// The `PATH` in which `folder` comes first.
fn path_with(folder: &Path) -> Outcome {
    let rest = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(iter::once(folder.to_owned()).chain(env::split_paths(&rest)));
    let path = path.ok().map(OsString::into_string).and_then(Result::ok);
    path.ok_or_else(|| {
        Halt::CannotRun("the project's path, or PATH, has a : in it or is not UTF-8".to_owned())
    })
}

/// It runs the cases of the suite as they are; the suite's own runner needs Python 2. It has no dependencies.
const RUNNER: &str = "kosoku==0.1.0";
