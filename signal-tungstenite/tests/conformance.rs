//! The suite of all adapters, over raw WebSockets.

use signal_tungstenite::{Server, Signaling};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) {
    Server::new(&signaling).path("/signal").serve(listener, stop.cancelled_owned()).await;
}

signal_conformance::suite!(crate::serve);
