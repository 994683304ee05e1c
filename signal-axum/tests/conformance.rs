//! The suite of all adapters, over axum.

use axum::{Router, serve::ListenerExt};
use signal_axum::Signaling;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) {
    let listener = listener.tap_io(|stream| signal_axum::tune(stream));
    let app = Router::new().nest("/signal", signal_axum::router(&signaling));
    signal_axum::serve(listener, app, stop.cancelled_owned()).await;
}

signal_conformance::suite!(crate::serve);
