#![doc = include_str!("../README.md")]

mod admin;
#[cfg(test)]
mod autobahn;
mod client_files;
mod health;
mod serve;
mod upgrade;

use axum::{
    Router,
    extract::ConnectInfo,
    response::{IntoResponse, Response},
    routing::any,
};
use http::request::Parts;

pub use admin::{admin, metrics_response};
pub use client_files::client_files;
pub use health::health;
pub use serve::{serve, serve_within};
pub use signal_tokio::*;
pub use upgrade::{WebSocketUpgrade, upgrade};

/// Everything that pages need: the socket at `/`, and the JS client at `/client.js`.
///
/// It can be nested under any path of an application with any state. A page then connects to that path and imports
/// `client.js` below it.
///
/// The [`SocketLimits`] of one address hold if the application is served by [`serve`], or with
/// [`into_make_service_with_connect_info::<SocketAddr>()`](Router::into_make_service_with_connect_info); without it nobody
/// knows where a client comes from, of which the log warns once.
pub fn router<S: Clone + Send + Sync + 'static>(signaling: &Signaling) -> Router<S> {
    let signaling = signaling.clone();
    let socket = async move |parts: Parts, socket: Result<WebSocketUpgrade, Response>| {
        let socket = match socket {
            Ok(socket) => socket,
            Err(refusal) => return refusal,
        };
        let remote = parts.extensions.get().map(|ConnectInfo(remote)| *remote);
        match signaling.admit(&parts, remote).await {
            Ok(admitted) => upgrade(socket, &signaling, admitted),
            Err(refusal) => refusal.into_response().into_response(),
        }
    };
    client_files().route("/", any(socket))
}
