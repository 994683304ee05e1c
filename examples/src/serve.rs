//! What every demo server does: it listens, says where, serves its systems, and goes down in peace.

use std::{
    env,
    error::Error,
    io::{self, IsTerminal},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    serve::{Listener, ListenerExt},
};
use signal_axum::Signaling;
use tokio::{
    net::TcpListener,
    signal::{self, unix},
    task::JoinSet,
};
use tokio_rustls::rustls::ServerConfig;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{Arguments, System, announce::announce, group, guests, pages, tls};

/// How long clients have to go when the server does.
pub const DRAIN: Duration = Duration::from_secs(10);

/// The whole of a server's `main`: serves the first system at `/` and each other one at `/NAME/`, until it is told to
/// stop.
pub async fn run(systems: &[System]) -> ExitCode {
    let (name, about) = match systems {
        [system] => (system.name, system.about),
        _ => ("demo-server", "Everything that people build with signaling, in one server."),
    };
    start(name, about, async |arguments| serve(systems, arguments).await).await
}

/// Runs `server` as the command line wants it. What keeps it from running is told in one line.
pub async fn start(
    name: &'static str,
    about: &'static str,
    server: impl AsyncFnOnce(&Arguments) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let arguments = Arguments::read(name, about);
    // `RUST_LOG=signal_tokio=debug` tells more.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // A file is read without its colours, and some people read without them (no-color.org).
    let in_colour =
        io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(in_colour).with_writer(io::stderr).init();
    match server(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Is done when the process is asked to end, by Ctrl-C or SIGTERM.
pub async fn stopped() {
    let mut terminate = unix::signal(unix::SignalKind::terminate()).expect("signals can be handled");
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("going down");
}

impl Arguments {
    /// Listens where the command line says, and tells people where that is.
    ///
    /// # Errors
    ///
    /// When the address is taken, or not of this machine.
    pub async fn listen(&self) -> Result<TcpListener, Box<dyn Error>> {
        let address = self.address();
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        announce(listener.local_addr()?, self)?;
        Ok(listener)
    }

    /// The certificate to serve with, if the server is to speak TLS.
    ///
    /// # Errors
    ///
    /// When there is no certificate or key in the files, or they do not belong together.
    pub fn tls(&self) -> Result<Option<Arc<ServerConfig>>, Box<dyn Error>> {
        if !self.uses_tls() {
            return Ok(None);
        }
        let files = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        Ok(Some(Arc::new(tls::config(files)?)))
    }
}

/// A system, and where it is: its page at `<base>/`, its socket at `<base>/signal`.
pub(crate) struct Place {
    pub(crate) base: String,
    pub(crate) system: System,
    pub(crate) signaling: Signaling,
}

async fn serve(systems: &[System], arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut places = Vec::with_capacity(systems.len());
    for (index, system) in systems.iter().enumerate() {
        let base = if index == 0 { String::new() } else { format!("/{}", system.name) };
        places.push(Place { base, system: *system, signaling: (system.signaling)(arguments)? });
    }
    // Where all systems are, so are the clients of other servers.
    let guests = (systems.len() > 1).then(|| guests::signaling(arguments)).transpose()?;
    let mut app = pages::router(&places).merge(guests::listed(guests.is_some()));
    if let Some(signaling) = &guests {
        app = app.merge(guests::router(signaling, arguments));
        if let Some(group) = places.iter().find(|place| place.system.name == group::SYSTEM.name) {
            app = app.merge(guests::of_group(&group.signaling, arguments));
        }
    }
    let (tls, admin) = (arguments.tls()?, arguments.admin().await?);

    let listener = arguments.listen().await?.tap_io(|stream| signal_axum::tune(stream));
    let of_guests = guests.iter().map(|signaling| (guests::NAME, guests::BASE, signaling));
    let watched = places.iter().map(|place| (place.system.name, place.base.as_str(), &place.signaling));
    let watched = watched.chain(of_guests);
    let _admin = admin.map(|admin| admin.serve(watched)).transpose()?;
    let all = places.iter().map(|place| place.signaling.clone()).chain(guests).collect();
    match tls {
        Some(config) => serve_until_stopped(tls::TlsListener::new(listener, config), app, all).await,
        None => serve_until_stopped(listener, app, all).await,
    }
    Ok(())
}

async fn serve_until_stopped(listener: impl Listener<Addr = SocketAddr>, app: Router, all: Vec<Signaling>) {
    let stop = async {
        stopped().await;
        // The clients are asked to come back later. Meanwhile requests are still answered.
        let drains = all.into_iter().map(|signaling| async move { signaling.drain(DRAIN).await });
        drains.collect::<JoinSet<_>>().join_all().await;
    };
    signal_axum::serve(listener, app, stop).await;
}
