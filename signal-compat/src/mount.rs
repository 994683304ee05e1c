//! What all protocols have in common: where they are mounted, and who is let in.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use http::request::Parts;
use signal_axum::{Admitted, Dialect, Guest, Origins, Refusal, Signaling, WebSocketUpgrade};

#[derive(Clone, Debug)]
pub(crate) struct Mount {
    pub(crate) signaling: Signaling,
    /// If others than those of the signaling.
    pub(crate) origins: Option<Origins>,
}

impl Mount {
    pub(crate) fn new(signaling: &Signaling) -> Self {
        Self { signaling: signaling.clone(), origins: None }
    }

    /// For sockets whose address says nothing: every path is theirs.
    pub(crate) fn socket<S: Clone + Send + Sync + 'static>(self, dialect: Arc<dyn Dialect>) -> Router<S> {
        let connect = async move |request: Parts, socket: Result<WebSocketUpgrade, Response>| {
            self.admit(&request, socket, Guest::new(dialect)).await
        };
        Router::new().fallback(connect)
    }

    /// Lets pages of other servers read the answers, if they may connect (Fetch, section 3.3).
    #[cfg(any(feature = "peer-server", feature = "socket-io"))]
    pub(crate) fn cors(&self) -> tower_http::cors::CorsLayer {
        use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
        let origins = self.origins.as_ref().unwrap_or(self.signaling.origins()).clone();
        let is_let_in = move |_: &http::HeaderValue, request: &Parts| origins.check(request).is_ok();
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(is_let_in))
            .allow_headers(AllowHeaders::mirror_request())
    }

    /// Whether a guest is let in by policy and bounds.
    pub(crate) async fn let_in(&self, request: &Parts, guest: Guest) -> Result<Admitted, Refusal> {
        let remote = request.extensions.get().map(|ConnectInfo(remote): &ConnectInfo<SocketAddr>| *remote);
        self.signaling.admit_guest(guest, self.origins.as_ref(), request, remote).await
    }

    /// Takes over the WebSocket of a guest, if it is let in.
    pub(crate) async fn admit(
        &self,
        request: &Parts,
        socket: Result<WebSocketUpgrade, Response>,
        guest: Guest,
    ) -> Response {
        let socket = match socket {
            Ok(socket) => socket,
            Err(refusal) => return refusal,
        };
        match self.let_in(request, guest).await {
            Ok(admitted) => signal_axum::upgrade(socket, &self.signaling, admitted),
            Err(refusal) => refusal.into_response().into_response(),
        }
    }
}
