//! The suite of all adapters, over axum.

use std::net::SocketAddr;

use axum::{Router, serve::ListenerExt};
use signal_axum::Signaling;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) {
    // Without this, the second of two messages to a client waits up to 40 ms for the client's system to say that it
    // has the first.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let app = Router::new().nest("/signal", signal_axum::router(&signaling));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await.expect("it is served");
}

signal_conformance::suite!(crate::serve);
