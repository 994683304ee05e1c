//! One suite for all adapters: what `docs/protocol.md` promises, over real sockets.
//!
//! An adapter runs all of it with two lines in its `tests/conformance.rs`, and has to answer byte for byte what the
//! others answer:
//!
//! ```ignore
//! async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) { /* at /signal */ }
//! signal_conformance::suite!(crate::serve);
//! ```
//!
//! Each rule is a test of its own. The clients are raw: they send and read JSON text, by a WebSocket library that
//! knows nothing of the protocol. Nothing here sleeps: whoever waits, waits for a message, and a rule that waits for
//! one that never comes fails as a whole.
//!
//! | module | what is in it |
//! |---|---|
//! | [`rules`] | the rules, by theme |
//! | `server`, `policy` | what is tested: a server behind an adapter, and a policy that does what names tell it |
//! | `client`, `wire` | the raw client, and its connection, which can go silent |
//! | `session`, `proxy`, `cut`, `places` | a client that resumes, and what cuts its connections anywhere |
//! | `conversation` | transcripts: the script and the expectation are one text |
//! | `pair`, `panics` | two peers who must not notice anything, and a watch on tasks that panic |
//! | `autobahn` | the cases of the Autobahn test suite, against an echo behind an adapter |
//! | `stranger` | a client that looks for company, and checks what it is told of it |

// A panic is the report of a rule.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod autobahn;
mod client;
mod conversation;
mod cut;
mod dice;
mod pair;
mod panics;
mod places;
mod policy;
mod proxy;
pub mod rules;
mod server;
mod session;
mod stranger;
mod vectors;
mod wire;

use std::{pin::Pin, time::Duration};

use panics::Panics;
use signal_tokio::Signaling;
use tokio::{net::TcpListener, runtime, time};
use tokio_util::sync::CancellationToken;

/// How an adapter serves: at `/signal`, until the token is cancelled.
pub type Serve =
    fn(Signaling, TcpListener, CancellationToken) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// An adapter under test.
#[derive(Clone, Copy, Debug)]
pub struct Adapter(pub Serve);

/// No rule takes so long, with the largest counts and on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs one rule.
pub fn run(serve: Serve, rule: impl AsyncFnOnce(Adapter)) {
    let panics = Panics::default();
    let on_start = panics.clone();
    let mut runtime = runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().on_thread_start(move || on_start.watch_this_thread());
    let runtime = runtime.build().unwrap();
    let in_time = runtime.block_on(async { time::timeout(PATIENCE, rule(Adapter(serve))).await });
    runtime.shutdown_background();
    in_time.expect("something that the rule waits for never came");
    panics.check();
}

/// How often, or how many: from the environment variable `SIGNAL_TEST_<name>`.
fn count(name: &str, default: usize) -> usize {
    let value = std::env::var(format!("SIGNAL_TEST_{name}"));
    value.map_or(default, |value| value.parse().expect("a number"))
}

/// Makes one `#[test]` of each rule for the adapter behind `$serve`, the path from the crate's root of an
/// `async fn(Signaling, TcpListener, CancellationToken)`.
#[macro_export]
macro_rules! suite {
    ($serve:path) => {
        $crate::upgrade! { $serve }
        $crate::addresses! { $serve }
        $crate::rates! { $serve }
        $crate::hello! { $serve }
        $crate::channels! { $serve }
        $crate::stars! { $serve }
        $crate::matchmaking! { $serve }
        $crate::waiting! { $serve }
        $crate::relays! { $serve }
        $crate::decisions! { $serve }
        $crate::storms! { $serve }
        $crate::strangers! { $serve }
        $crate::frames! { $serve }
        $crate::slow! { $serve }
        $crate::acknowledgements! { $serve }
        $crate::tokens! { $serve }
        $crate::turn! { $serve }
        $crate::resume! { $serve }
        $crate::cuts! { $serve }
        $crate::restart! { $serve }
        $crate::heartbeat! { $serve }
        $crate::drain! { $serve }
        $crate::embedder! { $serve }
        $crate::jwt! { $serve }
        $crate::leaks! { $serve }
        $crate::bad_inputs! { $serve }
        $crate::bounds! { $serve }
        $crate::outcomes! { $serve }
        $crate::signatures! { $serve }
    };
}
