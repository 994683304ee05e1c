//! The cases of the Autobahn test suite: whether an adapter takes frames, and answers them, as RFC 6455 says.
//!
//! They want a server that sends every message back. [`Echo`] is a socket that does; all else is as it is in
//! use: the adapter answers the upgrade, and the driver carries the socket and deals with its end. What becomes of text meant for
//! the driver is the matter of the [rules](crate::rules).
//!
//! The suite's own runner needs Python 2. This one is `kosoku`, which runs the same cases; it is looked for in the `PATH`.
//!
//! All cases are passed: 242 as well as can be, two as well as they must be (6.4.3 and 6.4.4, see `NOT_SO_FAST`), and
//! of three nobody says how they must end (7.1.6, whose message is too large for us and gets 1009; 7.13.1 and 7.13.2, codes
//! above 4999, which get 1002).

use std::{
    collections::VecDeque,
    env, fs, io, iter, mem,
    ops::ControlFlow,
    path::Path,
    process,
    task::{Context, Poll, ready},
};

use serde_json::Value;
use signal_tokio::{Frame, Outgoing, Received, Socket};
use tokio::task::spawn_blocking;

use crate::{Adapter, Serve};

/// Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, and fragments again. The others are 9, which
/// measures how fast messages of up to 16 MiB are, far above what is read here at all, and 12 and 13, compression,
/// which the adapters do not offer.
const CASES: [&str; 8] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];

/// How many these are.
const NUMBER: usize = 247;

/// How many go on at once: most of the time is spent in waiting for what must not come.
const AT_ONCE: usize = 16;

/// Cases that want text that is not UTF-8 to be refused before its frame is at its end, and allow it later. We look at
/// whole frames.
const NOT_SO_FAST: &str = "6.4.";

/// What the driver takes for a client that says hello and nothing else. Its messages are sent back.
#[derive(Debug)]
pub struct Echo<S> {
    socket: S,
    has_said_hello: bool,
    echoes: VecDeque<Frame>,
}

impl<S> Echo<S> {
    /// Sends back what comes from `socket`.
    pub fn new(socket: S) -> Self {
        Self { socket, has_said_hello: false, echoes: VecDeque::new() }
    }
}

impl<S: Socket> Socket for Echo<S> {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(Received<'_>) -> ControlFlow<()>,
    ) -> Poll<()> {
        let Self { socket, has_said_hello, echoes } = self;
        if !mem::replace(has_said_hello, true) {
            let _ = take(Received::Text(r#"{"type":"hello","version":1}"#));
            return Poll::Ready(());
        }
        loop {
            let mut is_for_driver = false;
            let received = socket.poll_receive(context, |received| {
                match received {
                    Received::Text(text) => echoes.push_back(Frame::text(text)),
                    Received::Binary(bytes) => echoes.push_back(Frame::binary(bytes)),
                    received @ (Received::LifeSign
                    | Received::TooLarge
                    | Received::GoneAway
                    | Received::Closed) => {
                        is_for_driver = true;
                        return take(received);
                    }
                }
                ControlFlow::Continue(())
            });
            // A client that is gone is noticed by reading on.
            let _ = socket.poll_send(context, || echoes.pop_front().map(Outgoing::Message));
            if is_for_driver {
                return Poll::Ready(());
            }
            ready!(received);
        }
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, echoes, .. } = self;
        socket.poll_send(context, || {
            // The runner knows nothing of signaling.
            let of_driver =
                iter::from_fn(&mut next).find(|outgoing| !matches!(outgoing, Outgoing::Message(_)));
            echoes.pop_front().map(Outgoing::Message).or(of_driver)
        })
    }
}

/// Runs the cases against an adapter that serves [`Echo`].
pub fn run(serve: Serve) {
    crate::run(serve, every_case_passes);
}

async fn every_case_passes(adapter: Adapter) {
    let server = adapter.start().await;
    let url = format!("ws://{}/signal", server.address);
    let report = spawn_blocking(move || report(&url)).await.unwrap();
    assert_eq!(report.len(), NUMBER, "not all cases were run");
    let failed: Vec<_> = report.iter().filter(|case| !has_passed(case)).map(told).collect();
    assert!(failed.is_empty(), "{} cases have failed:\n{}", failed.len(), failed.join("\n"));
}

/// Runs the runner, and reads what it has written of each case.
fn report(url: &str) -> Vec<Value> {
    let folder = env::temp_dir().join(format!("signal-autobahn-{}", process::id()));
    let mut runner = process::Command::new("kosoku");
    runner.arg(url).arg("--outdir").arg(&folder).args(["--parallelism", &AT_ONCE.to_string()]);
    runner.args(CASES.iter().flat_map(|cases| ["--include", cases]));
    // It fails when a case does; which one is in the report.
    runner.status().expect("the runner, which `cargo xtask test --only autobahn` installs");
    let index = read(&folder.join("index.json"));
    let agents = index.as_object().unwrap().values();
    let cases = agents.flat_map(|cases| cases.as_object().unwrap().values());
    let report = cases.map(|case| read(&folder.join(case["reportfile"].as_str().unwrap()))).collect();
    fs::remove_dir_all(&folder).unwrap();
    report
}

fn read(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// Whether both the exchange of messages and the end are as they must be. What nobody prescribes passes.
fn has_passed(case: &Value) -> bool {
    let id = case["id"].as_str().unwrap();
    [&case["behavior"], &case["behaviorClose"]].into_iter().all(|verdict| match verdict.as_str() {
        Some("OK" | "INFORMATIONAL") => true,
        // It is allowed, and something else would be better.
        Some("NON-STRICT") => id.starts_with(NOT_SO_FAST),
        _ => false,
    })
}

fn told(case: &Value) -> String {
    let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
    ["id", "behavior", "result", "behaviorClose", "resultClose"].map(text).join(" | ")
}
