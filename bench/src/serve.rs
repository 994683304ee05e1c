//! The server that is measured: this program once more, as a process of its own.

use std::{
    future,
    io::{self, Read, Write},
    process, thread,
};

use axum::{Router, routing::get, serve::ListenerExt};
use signal_axum::{Limits, Rates, Signaling, SocketLimits};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::{Adapter, Result, dialect::signal, machine, server::Setup};

/// Serves until standard input ends. All is as by default but what is given, and the log is told what that of a demo
/// server is told, but goes nowhere.
#[tokio::main]
pub(crate) async fn run(adapter: Adapter, setup: Setup) -> Result<()> {
    // Whoever started this has gone.
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        process::exit(0);
    });
    setup.files.map_or(Ok(()), machine::allow_only_files)?;
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new("info")).with_writer(io::sink).init();
    let default = Limits::default();
    let members_per_channel = setup.members_per_channel.unwrap_or(default.members_per_channel);
    let limits = Limits { members_per_channel, grace: setup.grace_time(), ..default };
    let rates = if setup.unlimited { Rates::unlimited() } else { Rates::default() };
    let by_default = SocketLimits::default();
    let sockets = SocketLimits {
        all: setup.sockets.unwrap_or(by_default.all),
        sessions: setup.sessions.unwrap_or(by_default.sessions),
        ..by_default
    };
    let signaling = Signaling::builder().limits(limits).socket_limits(sockets).rates(rates).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let admin = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "metrics on http://{}", admin.local_addr()?)?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let watched = signaling.clone();
    let metrics = async move || signal_axum::metrics_response(watched.metrics());
    let metrics: Router = Router::new().route("/metrics", get(metrics));
    tokio::spawn(signal_axum::serve(admin, metrics, future::pending()));
    let path = signal::PATH;
    match adapter {
        Adapter::Axum => {
            let app: Router = Router::new().nest(path, signal_axum::router(&signaling));
            // As the README does it.
            let listener = listener.tap_io(|stream| signal_axum::tune(stream));
            signal_axum::serve(listener, app, future::pending()).await;
        }
        Adapter::Tungstenite => {
            let server = signal_tungstenite::Server::new(&signaling).path(path);
            server.serve(listener, future::pending()).await;
        }
    }
    Ok(())
}
