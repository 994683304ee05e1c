#![doc = include_str!("../README.md")]

mod admin;
#[cfg(test)]
mod autobahn;
mod client_files;
mod health;
mod serve;
mod socket;

use axum::{
    Router,
    extract::{
        ConnectInfo,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use http::{Version, request::Parts};

pub use admin::{admin, metrics_response};
pub use client_files::client_files;
pub use health::health;
pub use serve::{serve, serve_within};
pub use signal_tokio::*;

/// The optional WebSocket subprotocol of version 1.
const SUBPROTOCOL: &str = "signal.v1";

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
    let socket = async move |parts: Parts, socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>| {
        // Of HTTP/2, axum knows what has to be in a request.
        if parts.version <= Version::HTTP_11
            && let Err(status) = head::check(&parts)
        {
            return head::refuse(status).into_response();
        }
        let socket = match socket {
            Ok(socket) => socket,
            Err(rejection) => return rejection.into_response(),
        };
        let remote = parts.extensions.get().map(|ConnectInfo(remote)| *remote);
        match signaling.admit(&parts, remote).await {
            Ok(admitted) => upgrade(socket, &signaling, admitted),
            Err(refusal) => refusal.into_response().into_response(),
        }
    };
    client_files().route("/", any(socket))
}

/// Takes over a WebSocket whose client the caller has let in, by an [`Admission`] of its own or by [`Signaling::admit`], which
/// asks [`Policy::upgrade`] and holds the client to the [`SocketLimits`].
///
/// A page of another origin that its visitor has open may ask for the upgrade in the visitor's name. Whoever lets
/// clients in by a cookie has to check the origin, for example with [`Origins::check`].
pub fn upgrade(socket: WebSocketUpgrade, signaling: &Signaling, admitted: impl Into<Admitted>) -> Response {
    let (signaling, admitted) = (signaling.clone(), admitted.into());
    socket::configure(socket, signaling.most_read()).protocols([SUBPROTOCOL]).on_upgrade(
        async move |socket| {
            // A task of its own: that of the handshake would be kept for as long.
            tokio::spawn(signaling.serve(socket::AxumSocket(socket), admitted));
        },
    )
}
