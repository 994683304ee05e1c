//! The Autobahn cases, against an echo behind this adapter.

use axum::{Router, response::IntoResponse, routing::any, serve::ListenerExt};
use http::request::Parts;
use signal_conformance::autobahn::{self, Echo};
use signal_tokio::{Signaling, WebSocket};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::upgrade::{WebSocketUpgrade, into_tcp};

async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) {
    let listener = listener.tap_io(|stream| crate::tune(stream));
    let echo = async move |parts: Parts, socket: WebSocketUpgrade| match signaling.admit(&parts, None).await {
        Ok(admitted) => socket.answer(async move |upgraded| {
            let (stream, read) = into_tcp(upgraded).expect("a connection of TCP");
            let echo = Echo::new(WebSocket::over_tcp(stream, read.as_ref(), signaling.most_read()));
            signaling.serve(echo, admitted).await;
        }),
        Err(refusal) => refusal.into_response().into_response(),
    };
    let app = Router::new().route("/signal", any(echo));
    crate::serve(listener, app, stop.cancelled_owned()).await;
}

#[test]
#[ignore = "cargo xtask test --only autobahn installs the runner that it needs"]
fn frames_are_taken_and_answered_as_the_autobahn_cases_demand() {
    autobahn::run(|signaling, listener, stop| Box::pin(serve(signaling, listener, stop)));
}
