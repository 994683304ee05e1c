//! From a request to a WebSocket.

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::{rt::TokioIo, server::conn::auto};
use signal_tokio::{Admitted, Signaling, WebSocket, head};
use tokio::net::TcpStream;

/// An extractor for handlers that decide themselves who gets a WebSocket: it is given to [`upgrade`]. In place of
/// axum's own extractor of this name, whose sockets need buffers of their own.
///
/// A request that asks for no WebSocket is answered as [`head::check`] says.
#[derive(Debug)]
pub struct WebSocketUpgrade {
    answer: Response<()>,
    on_upgrade: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = Response;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Response> {
        let refuse = |status| head::refuse(status).into_response();
        head::check(request).map_err(refuse)?;
        // Not there if the server does not know that a connection can be something else than HTTP.
        let on_upgrade = request.extensions.remove().ok_or_else(|| refuse(StatusCode::UPGRADE_REQUIRED))?;
        Ok(Self { answer: head::accept(request), on_upgrade })
    }
}

/// Takes over a WebSocket whose client the caller has let in, by an [`Admission`](crate::Admission) of its own or by
/// [`Signaling::admit`], which asks [`Policy::upgrade`](crate::Policy::upgrade) and holds the client to the
/// [`SocketLimits`](crate::SocketLimits).
///
/// A page of another origin that its visitor has open may ask for the upgrade in the visitor's name. Whoever lets
/// clients in by a cookie has to check the origin, for example with [`Origins::check`](crate::Origins::check).
pub fn upgrade(socket: WebSocketUpgrade, signaling: &Signaling, admitted: impl Into<Admitted>) -> Response {
    let (signaling, admitted) = (signaling.clone(), admitted.into());
    socket.answer(async move |upgraded| {
        let most_read = signaling.most_read();
        // Tasks of their own: that of the handshake would be kept for as long.
        match into_tcp(upgraded) {
            Ok((stream, read)) => {
                tokio::spawn(
                    signaling.serve(WebSocket::over_tcp(stream, read.as_ref(), most_read), admitted),
                );
            }
            Err(upgraded) => {
                let stream = TokioIo::new(upgraded);
                tokio::spawn(signaling.serve(WebSocket::new(stream, &[], most_read), admitted));
            }
        }
    })
}

impl WebSocketUpgrade {
    /// Answers the request, and hands over its connection once the client has the answer.
    pub(crate) fn answer<F>(self, carry: impl FnOnce(Upgraded) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let Self { answer, on_upgrade } = self;
        tokio::spawn(async move {
            match on_upgrade.await {
                Ok(upgraded) => carry(upgraded).await,
                Err(error) => tracing::debug!(%error, "no upgrade"),
            }
        });
        answer.map(|()| Body::empty())
    }
}

/// The connection itself, and what was read of it. What hyper and axum have put around it is of no use any more, and would
/// take its time with each message. Around a connection of another kind than TCP it stays.
pub(crate) fn into_tcp(upgraded: Upgraded) -> Result<(TcpStream, impl AsRef<[u8]>), Upgraded> {
    // As our `serve` has made it, and as `axum::serve` has.
    let direct = upgraded.downcast::<TokioIo<TcpStream>>().map(|parts| (parts.io, parts.read_buf));
    let parts = direct.or_else(|upgraded| {
        let parts = auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded)?;
        Ok((parts.io, parts.read_buf))
    });
    parts.map(|(io, read)| (io.into_inner(), read))
}
