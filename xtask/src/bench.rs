//! Measuring the server side by side with others.

use std::io;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

/// `cargo xtask bench`: builds the load generator as for use and lets it write what it has measured.
pub(crate) fn run(root: &Path, arguments: &[String]) -> io::Result<ExitCode> {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--locked", "-p", "bench", "--", "--write"]).args(arguments);
    let status = command.current_dir(root).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
