//! The Autobahn cases, against an echo behind this adapter: the WebSocket is set up by its `configure`, and what comes from
//! the client is judged by its `AxumSocket`.

use axum::{
    Router,
    extract::ws::{Message, Utf8Bytes, WebSocketUpgrade},
    response::IntoResponse,
    routing::any,
    serve::ListenerExt,
};
use http::request::Parts;
use signal_conformance::autobahn::{self, Echo, Mirror};
use signal_tokio::{Received, Signaling};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::socket::{AxumSocket, configure};

impl Mirror for AxumSocket {
    async fn mirror(&mut self) -> Received<Utf8Bytes> {
        loop {
            let echo = match self.0.recv().await {
                // Nobody is told what is in it.
                Some(Ok(binary @ Message::Binary(_))) => binary,
                next => match self.judge(next).await {
                    Some(Received::Text(text)) => Message::Text(text),
                    Some(received) => return received,
                    None => continue,
                },
            };
            // A client that is gone is noticed by reading on.
            let _ = self.0.send(echo).await;
        }
    }
}

async fn serve(signaling: Signaling, listener: TcpListener, stop: CancellationToken) {
    let listener = listener.tap_io(|stream| crate::tune(stream));
    let echo = async move |parts: Parts, upgrade: WebSocketUpgrade| match signaling.admit(&parts, None).await
    {
        Ok(admitted) => configure(upgrade, signaling.most_read()).on_upgrade(async move |socket| {
            signaling.serve(Echo::new(AxumSocket(socket)), admitted).await;
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
