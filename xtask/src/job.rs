//! One check while it runs: the commands it starts, their log, and how it ends.

use std::env;
use std::fmt;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use crate::checks::Check;
use crate::counts::Scale;

/// A figure worth showing (how many tests), or why there is none.
pub(crate) type Outcome = Result<String, Halt>;

/// Why a check ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// What it checks is broken. The text may be an output of many lines.
    Failed(String),
    /// Something that it needs is missing. Counts as failed where `CI` is set.
    CannotRun(String),
    /// It needs a tool that nobody has to have.
    Optional(String),
}

/// What [`run`] leaves behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) is_strict: bool,
    pub(crate) took: Duration,
}

/// The surroundings of a running check.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) root: PathBuf,
    /// Whatever its commands print. A file and no pipe: a process that a command left behind cannot block us.
    pub(crate) log: PathBuf,
    /// Whether a check that cannot run is a failed one.
    pub(crate) is_strict: bool,
    /// How much of the counts, and of what takes long or downloads much.
    pub(crate) scale: Scale,
}

/// Runs a check, printing its name at once and the rest when it has ended.
pub(crate) fn run(check: &Check, root: &Path, scale: Scale) -> Finished {
    print!("{:<13} ", check.name);
    // A name that appears late is no loss.
    let _ = io::stdout().flush();

    let started = Instant::now();
    let is_strict = env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
    let outcome = Job::new(check, root, scale, is_strict).and_then(|job| (check.run)(&job));
    let finished = Finished { outcome, is_strict, took: started.elapsed() };
    println!("{finished}");
    finished
}

impl Job {
    fn new(check: &Check, root: &Path, scale: Scale, is_strict: bool) -> Result<Self, Halt> {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let logs = root.join(target).join("xtask");
        let log = logs.join(check.name).with_extension("log");
        fs::create_dir_all(&logs)
            .and_then(|()| File::create(&log))
            .map_err(|error| broken(&log.display(), &error))?;
        Ok(Self { root: root.to_owned(), log, is_strict, scale })
    }

    /// Runs a command and returns what it printed, errors included.
    pub(crate) fn run<'c>(&self, call: impl Into<Call<'c>>) -> Outcome {
        let call = call.into();
        let failed = |error: io::Error| broken(&call.line, &error);
        let before = fs::metadata(&self.log).map_err(failed)?.len();
        let log = File::options().append(true).open(&self.log).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let status = self.command(&call).stdout(log).stderr(errors).status().map_err(failed)?;

        let printed = fs::read(&self.log).map_err(failed)?;
        let printed = String::from_utf8_lossy(&printed[before as usize..]).into_owned();
        if status.success() { Ok(printed) } else { Err(Halt::Failed(format!("$ {}\n{printed}", call.line))) }
    }

    /// Runs a command and returns its standard output alone.
    pub(crate) fn read<'c>(&self, call: impl Into<Call<'c>>) -> Outcome {
        let call = call.into();
        let output = self.command(&call).output().map_err(|error| broken(&call.line, &error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Halt::Failed(format!("$ {}\n{}", call.line, String::from_utf8_lossy(&output.stderr))))
    }

    fn command(&self, call: &Call<'_>) -> Command {
        let mut words = call.line.split_whitespace();
        let mut command = Command::new(words.next().expect("a call names a program"));
        command.args(words).current_dir(self.root.join(call.folder)).stdin(Stdio::null());
        command.envs(self.scale.variables()).envs(call.variables.iter().copied());
        command
    }
}

/// A command line whose words contain no spaces.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    line: &'a str,
    folder: &'a str,
    variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self { line, folder: "", variables: Vec::new() }
    }

    /// Runs it in that folder of the project.
    pub(crate) fn within(self, folder: &'a str) -> Self {
        Self { folder, ..self }
    }

    pub(crate) fn env(mut self, name: &'a str, value: &'a str) -> Self {
        self.variables.push((name, value));
        self
    }
}

impl<'a> From<&'a str> for Call<'a> {
    fn from(line: &'a str) -> Self {
        Self::new(line)
    }
}

impl Finished {
    pub(crate) fn is_failure(&self) -> bool {
        match self.outcome {
            Err(Halt::Failed(_)) => true,
            Err(Halt::CannotRun(_)) => self.is_strict,
            Ok(_) | Err(Halt::Optional(_)) => false,
        }
    }

    /// In one line, without the output of a failure.
    pub(crate) fn result(&self) -> String {
        match &self.outcome {
            Ok(figure) if figure.is_empty() => "passed".to_owned(),
            Ok(figure) => format!("passed ({figure})"),
            Err(Halt::Failed(_)) => "FAILED".to_owned(),
            Err(Halt::CannotRun(why)) if self.is_strict => {
                format!("SKIPPED: {why} (a failure where CI is set)")
            }
            Err(Halt::CannotRun(why)) => format!("SKIPPED: {why}"),
            Err(Halt::Optional(why)) => format!("SKIPPED: {why} (optional)"),
        }
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.1} s  {}", self.took.as_secs_f64(), self.result())?;
        match &self.outcome {
            Err(Halt::Failed(output)) => write!(f, "\n{}\n", output.trim_end()),
            Ok(_) | Err(Halt::CannotRun(_) | Halt::Optional(_)) => Ok(()),
        }
    }
}

fn broken(what: &dyn fmt::Display, error: &io::Error) -> Halt {
    Halt::Failed(format!("{what}: {error}"))
}
