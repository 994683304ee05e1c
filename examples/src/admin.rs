//! The port for whoever looks after a server: metrics for Prometheus, and routes to list and kick.

use std::{
    error::Error,
    future,
    io::{self, Write},
    net::SocketAddr,
};

use axum::{Router, routing::get};
use signal_axum::{AdminToken, Signaling};
use tokio::{net::TcpListener, task::JoinSet};

/// What is reached on it: the name of a system, the path under which its admin routes are, and its signaling.
pub(crate) type Watched<'a> = (&'a str, &'a str, &'a Signaling);

/// The port, taken before the server says that it listens.
pub(crate) struct AdminPort {
    listener: TcpListener,
    address: SocketAddr,
    token: Option<AdminToken>,
}

impl AdminPort {
    pub(crate) async fn bind(address: SocketAddr, token: Option<AdminToken>) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address} for the admin: {error}"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, token })
    }

    /// Serves until what is returned is dropped, and says where.
    pub(crate) fn serve<'a>(self, watched: impl Iterator<Item = Watched<'a>>) -> io::Result<JoinSet<()>> {
        let watched: Vec<_> = watched.collect();
        let routes = watched.iter().fold(Router::new(), |routes, (_, base, signaling)| {
            routes.nest(&format!("{base}/admin"), signal_axum::admin(signaling, self.token.clone()))
        });
        let servers: Vec<_> =
            watched.iter().map(|(name, _, signaling)| ((*name).to_owned(), (*signaling).clone())).collect();
        let metrics = async move || {
            let servers = servers.iter().map(|(name, signaling)| (name.as_str(), signaling));
            signal_axum::metrics_response(signal_axum::metrics(servers))
        };
        let routes = routes.route("/metrics", get(metrics));
        let mut out = io::stdout().lock();
        writeln!(out, "admin on http://{}", self.address)?;
        out.flush()?;
        let mut serving = JoinSet::new();
        serving.spawn(signal_axum::serve(self.listener, routes, future::pending()));
        Ok(serving)
    }
}
