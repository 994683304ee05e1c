//! Servers of others, as their users run them: below `rivals/`, installed from the registries of npm and Cargo.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

use clap::ValueEnum;

use crate::{
    Result,
    dialect::{Dialect, Matchbox, NodeWs, PeerServer, SocketIo},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rival {
    /// A relay as one writes it with `ws`.
    NodeWs,
    /// The group chat that is usual with Socket.IO.
    SocketIo,
    /// The server of PeerJS. It has no channels: peers who know each other's ids call each other.
    PeerServer,
    /// That of matchbox. Of two in a room it tells the older one alone.
    Matchbox,
}

impl Rival {
    pub(crate) const ALL: [Self; 4] = [Self::NodeWs, Self::SocketIo, Self::PeerServer, Self::Matchbox];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NodeWs => "Node ws",
            Self::SocketIo => "Socket.IO",
            Self::PeerServer => "PeerServer",
            Self::Matchbox => "matchbox",
        }
    }

    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::NodeWs => &NodeWs,
            Self::SocketIo => &SocketIo,
            Self::PeerServer => &PeerServer,
            Self::Matchbox => &Matchbox,
        }
    }

    /// Installs it. What it is, with its version, and what is to be known of its figures.
    pub(crate) fn install(self) -> Result<String> {
        match self {
            Self::NodeWs => npm("node-ws", "ws"),
            Self::SocketIo => Ok(npm("socket-io", "socket.io")? + ", by WebSocket from the start"),
            Self::PeerServer => Ok(npm("peer-server", "peer")? + ": it has no channels, hence no storm"),
            Self::Matchbox => Ok(cargo("matchbox", "matchbox_server", MATCHBOX)?
                + ", without its log: of each two it tells the older one alone, so its storm is half as many introductions; to \
                   connect is part of its storm"),
        }
    }

    /// The bound of its own that must be raised for so many connections, by its name.
    pub(crate) fn raised(self, connections: usize) -> Option<String> {
        let is_in_the_way = self == Self::PeerServer && connections > PEER_SERVER_LIMIT;
        is_in_the_way
            .then(|| format!("concurrent_limit of PeerServer from {PEER_SERVER_LIMIT} to {connections}"))
    }

    /// What starts it for so many connections, and where it will listen, if it does not print that.
    pub(crate) fn command(self, connections: usize) -> Result<(Command, Option<SocketAddr>)> {
        Ok(match self {
            Self::NodeWs => (node("node-ws"), None),
            Self::SocketIo => (node("socket-io"), None),
            Self::PeerServer => {
                let mut command = node("peer-server");
                command.arg(PEER_SERVER_LIMIT.max(connections).to_string());
                (command, None)
            }
            Self::Matchbox => {
                // Nobody is likely to take it meanwhile.
                let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
                let mut command = Command::new(Path::new(RIVALS).join("matchbox/bin/matchbox_server"));
                command.arg(address.to_string()).env("RUST_LOG", "off");
                (command, Some(address))
            }
        })
    }
}

/// Installs what the lock file of a folder names. The version of one package of it.
fn npm(folder: &str, package: &str) -> Result<String> {
    let node = run(Command::new("node").arg("--version"))?;
    let folder = Path::new(RIVALS).join(folder);
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let manifest = fs::read_to_string(folder.join("node_modules").join(package).join("package.json"))?;
    let mut lines = manifest.lines();
    let version = lines.find_map(|line| line.trim().strip_prefix(r#""version": ""#)?.strip_suffix("\","));
    Ok(format!("{package} {} on Node {}", version.unwrap_or("?"), node.trim()))
}

fn node(folder: &str) -> Command {
    let mut command = Command::new("node");
    command.arg("server.js").current_dir(Path::new(RIVALS).join(folder));
    command
}

/// Installs a program into a folder, unless it is there.
fn cargo(folder: &str, package: &str, version: &str) -> Result<String> {
    let mut command = Command::new("cargo");
    command.args(["install", package, "--version", &format!("={version}"), "--locked", "--quiet", "--root"]);
    run(command.arg(Path::new(RIVALS).join(folder)))?;
    Ok(format!("{package} {version}"))
}

/// What a command prints. The first error among its complaints is why it has failed.
fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    let error = complaints.lines().find(|line| line.contains("error")).unwrap_or("it has failed");
    Err(format!("{name}: {error}").into())
}

const RIVALS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rivals");
const MATCHBOX: &str = "0.15.0";
/// Connections of PeerServer, unless it is told otherwise.
const PEER_SERVER_LIMIT: usize = 5000;
