//! Servers of others, as their users run them: below `rivals/`, installed by npm from lock files.

use std::{fs, path::Path, process::Command};

use crate::{
    Result,
    dialect::{Dialect, NodeWs},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rival {
    /// A relay as one writes it with `ws`.
    NodeWs,
}

impl Rival {
    pub(crate) const ALL: [Self; 1] = [Self::NodeWs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NodeWs => "Node ws",
        }
    }

    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::NodeWs => &NodeWs,
        }
    }

    /// Installs it. What it is, with its version.
    pub(crate) fn install(self) -> Result<String> {
        match self {
            Self::NodeWs => npm("node-ws", "ws"),
        }
    }

    /// What starts it. It prints where it listens, and ends with its standard input.
    pub(crate) fn command(self) -> Command {
        match self {
            Self::NodeWs => node("node-ws"),
        }
    }
}

/// Installs what the lock file of a folder names. The version of one package of it.
fn npm(folder: &str, package: &str) -> Result<String> {
    let node = Command::new("node").arg("--version").output().map_err(|error| format!("node: {error}"))?;
    let folder = Path::new(RIVALS).join(folder);
    let installed =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output()?;
    if !installed.status.success() {
        return Err(format!("npm ci: {}", String::from_utf8_lossy(&installed.stderr)).into());
    }
    let manifest = fs::read_to_string(folder.join("node_modules").join(package).join("package.json"))?;
    let mut lines = manifest.lines();
    let version = lines.find_map(|line| line.trim().strip_prefix(r#""version": ""#)?.strip_suffix("\","));
    let node = String::from_utf8_lossy(&node.stdout);
    Ok(format!("{package} {} on Node {}", version.unwrap_or("?"), node.trim()))
}

fn node(folder: &str) -> Command {
    let mut command = Command::new("node");
    command.arg("server.js").current_dir(Path::new(RIVALS).join(folder));
    command
}

const RIVALS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rivals");
