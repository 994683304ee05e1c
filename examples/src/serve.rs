//! What every demo server does: it listens, says where, serves its systems, and goes down in peace.

use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use axum::serve::ListenerExt;
use signal_axum::Signaling;
use tokio::{
    net::TcpListener,
    signal::{self, unix},
    task::JoinSet,
};

use crate::{Arguments, System, pages};

/// How long clients have to go when the server does.
const DRAIN: Duration = Duration::from_secs(10);

/// The body of each server's `main`: serves the first system at `/` and each other one at `/NAME/`, until it is told
/// to stop by Ctrl-C or SIGTERM.
pub async fn run(systems: &[System]) -> ExitCode {
    let arguments = match systems {
        [system] => Arguments::read(system.name, system.about),
        _ => Arguments::read("demo-server", "Everything that people build with signaling, in one server."),
    };
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match serve(systems, &arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(systems: &[System], arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut places = Vec::with_capacity(systems.len());
    for (index, system) in systems.iter().enumerate() {
        let base = if index == 0 { String::new() } else { format!("/{}", system.name) };
        places.push(Place { base, system: *system, signaling: (system.signaling)(arguments)? });
    }
    let app = pages::router(&places);

    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    announce(listener.local_addr()?)?;
    // Without this the system holds small messages back for up to 40 ms.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).with_graceful_shutdown(stop(places)).await?;
    Ok(())
}

/// A system, and where it is: its page at `<base>/`, its socket at `<base>/signal`.
pub(crate) struct Place {
    pub(crate) base: String,
    pub(crate) system: System,
    pub(crate) signaling: Signaling,
}

/// The first line on standard output, for people and for scripts.
#[expect(clippy::print_stdout, reason = "this is what the program has to say")]
fn announce(address: SocketAddr) -> io::Result<()> {
    println!("listening on http://{address}");
    io::stdout().flush()
}

/// Waits for Ctrl-C or SIGTERM, then asks the clients to come back later.
async fn stop(places: Vec<Place>) {
    let mut terminate = unix::signal(unix::SignalKind::terminate()).expect("signals can be handled");
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("going down");
    let drains = places.into_iter().map(|place| async move { place.signaling.drain(DRAIN).await });
    drains.collect::<JoinSet<_>>().join_all().await;
}
