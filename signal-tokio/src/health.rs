//! What those are told who look after a server: whether it lives, and whether it lets clients in.

use http::{HeaderValue, Response, StatusCode, header};

use crate::Signaling;

/// Whether clients are let in at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// They are.
    Ready,
    /// The server goes down.
    Draining,
    /// There are as many sockets or sessions as [`SocketLimits`](crate::SocketLimits) allow.
    Full,
}

impl Signaling {
    /// Whether clients are let in at the moment.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        if self.shared.draining.is_cancelled() {
            Readiness::Draining
        } else if self.shared.addresses.is_full() || self.shared.is_full() {
            Readiness::Full
        } else {
            Readiness::Ready
        }
    }
}

/// The answer to a request for `/healthz` or `/readyz`; `None` for any other path. For adapters, and for servers
/// without a web framework.
///
/// `/healthz` is answered with 200 as long as the process answers at all: a supervisor restarts it otherwise. `/readyz`
/// is answered with 200 while all of `servers` let clients in, and with 503 while one of them goes down or is full: a
/// load balancer sends clients elsewhere then.
pub fn health<'a>(
    path: &str,
    servers: impl IntoIterator<Item = &'a Signaling>,
) -> Option<Response<&'static str>> {
    let readiness = match path {
        "/healthz" => None,
        "/readyz" => {
            let not_ready = servers.into_iter().map(Signaling::readiness);
            not_ready.into_iter().find(|readiness| *readiness != Readiness::Ready)
        }
        _ => return None,
    };
    let (status, text) = match readiness {
        None | Some(Readiness::Ready) => (StatusCode::OK, "ok\n"),
        Some(Readiness::Draining) => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        Some(Readiness::Full) => (StatusCode::SERVICE_UNAVAILABLE, "full\n"),
    };
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}
