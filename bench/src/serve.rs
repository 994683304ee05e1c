//! The server that is measured: this program once more, as a process of its own.

use std::{
    io::{self, Read, Write},
    process, thread,
};

use axum::{Router, serve::ListenerExt};
use signal_axum::{Limits, Rates, Signaling};
use tokio::net::TcpListener;

use crate::{Adapter, Result, dialect::Dialect};

/// Serves until standard input ends. All is as by default but the bound that is given, and that clients may send as
/// fast as they can.
#[tokio::main]
pub(crate) async fn run(adapter: Adapter, members_per_channel: Option<usize>) -> Result<()> {
    // Whoever started this has gone.
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        process::exit(0);
    });
    let default = Limits::default();
    let members_per_channel = members_per_channel.unwrap_or(default.members_per_channel);
    let limits = Limits { members_per_channel, ..default };
    let signaling = Signaling::builder().limits(limits).rates(Rates::unlimited()).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let path = Dialect::Signal.path();
    match adapter {
        Adapter::Axum => {
            let app: Router = Router::new().nest(path, signal_axum::router(&signaling));
            // As the README does it.
            let listener = listener.tap_io(|stream| signal_axum::tune(stream));
            signal_axum::serve(listener, app, std::future::pending()).await;
        }
        Adapter::Tungstenite => {
            let server = signal_tungstenite::Server::new(&signaling).path(path);
            server.serve(listener, std::future::pending()).await;
        }
    }
    Ok(())
}
