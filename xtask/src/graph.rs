//! Who may depend on whom, and what the core must not do.

use serde_json::Value;

use crate::job::Call;
use crate::job::Halt;
use crate::job::Job;
use crate::job::Outcome;

/// Compares the workspace's own dependencies, those of tests aside, with [`ARROWS`].
pub(crate) fn arrows(job: &Job) -> Outcome {
    let metadata = job.read("cargo metadata --no-deps --locked --format-version 1")?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| Halt::Failed(error.to_string()))?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);

    let mut wrong = Vec::new();
    for package in packages {
        let name = text(package, "name");
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
            wrong.push(format!("{name} has no place in xtask/src/graph.rs yet"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        let internal = dependencies.iter().filter(|to| to["path"].is_string() && to["kind"] != "dev");
        let targets = internal.map(|to| text(to, "name")).filter(|to| !allowed.contains(to));
        wrong.extend(targets.map(|to| format!("{name} must not depend on {to}")));
    }
    if wrong.is_empty() {
        Ok(format!("{} crates", packages.len()))
    } else {
        Err(Halt::Failed(wrong.join("\n")))
    }
}

/// Looks at the core from both sides: the crates it pulls in are known to be harmless, and it calls nothing of `std`
/// that `xtask/purity/clippy.toml` names. Clippy resolves paths, so no renamed import hides a call, and the lints are
/// forbidden, so no attribute allows one.
pub(crate) fn core_is_pure(job: &Job) -> Outcome {
    let tree =
        job.read("cargo tree -p signal-core -e normal,no-proc-macro --prefix none --locked --format {p}")?;
    let mut crates: Vec<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    crates.sort_unstable();
    crates.dedup();
    let unknown: Vec<_> = crates.iter().filter(|name| !HARMLESS.contains(name)).copied().collect();
    if !unknown.is_empty() {
        return Err(Halt::Failed(format!(
            "signal-core now pulls in {}: what does no IO, reads no clock and draws no random number may be added to \
             HARMLESS in xtask/src/graph.rs",
            unknown.join(", ")
        )));
    }

    let purity = job.root.join("xtask/purity");
    let purity =
        purity.to_str().ok_or_else(|| Halt::CannotRun("the project's path is not UTF-8".to_owned()))?;
    job.run(
        Call::new(
            "cargo clippy -p signal-core --lib --locked -- -F clippy::disallowed_methods -F clippy::disallowed_types \
             -F clippy::disallowed_macros",
        )
        .env("CLIPPY_CONF_DIR", purity),
    )?;
    Ok(format!("{} crates", crates.len()))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Each crate and the crates of this workspace it may depend on: examples -> adapters -> signal-tokio -> signal-core.
const ARROWS: &[(&str, &[&str])] = &[
    ("signal-core", &[]),
    ("signal-tokio", &["signal-core"]),
    ("signal-axum", &["signal-tokio"]),
    // Its native client speaks the protocol without a server.
    ("signal-tungstenite", &["signal-tokio", "signal-core"]),
    // A dialect translates to and from the messages of the core.
    ("signal-compat", &["signal-axum", "signal-core"]),
    ("examples", &["signal-axum", "signal-tungstenite", "signal-compat"]),
    // What tests and measures the others is beside the arrows: nothing depends on it but tests.
    ("signal-conformance", &["signal-core", "signal-tokio"]),
    ("bench", &["signal-core", "signal-tokio", "signal-axum", "signal-tungstenite"]),
    ("fuzz", &["signal-core", "signal-tokio", "signal-compat"]),
    ("xtask", &[]),
];

/// Crates that compute and do nothing else.
const HARMLESS: &[&str] = &[
    "itoa",
    "memchr",
    "serde",
    "serde_core",
    "serde_json",
    "signal-core",
    "slab",
    "smol_str",
    "thiserror",
    "zmij",
];
