//! An accept loop with bounds, for applications that have no other.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, serve::Listener};
use http::Request;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use signal_tokio::{HttpLimits, head};
use tokio::{sync::Semaphore, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long answers may take that are under way when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Serves an application over HTTP/1.1 until `stop` is done, in place of [`axum::serve`](axum::serve()), which has no
/// bounds:
///
/// - The head of a request may take 5 s, that of the next one of a connection too. Then the connection is closed.
/// - It may have 8 KiB and 100 fields ([`head::MOST_FIELDS`]); a larger one is answered with 431.
/// - 4,096 connections may be there at a time that are no WebSockets; further ones wait to be accepted.
///
/// Other bounds are for [`serve_within`].
///
/// What the application makes of a request, and how long its answers take, is its own matter.
///
/// [`ConnectInfo<SocketAddr>`](ConnectInfo) goes with each request, so that the [`SocketLimits`](crate::SocketLimits)
/// of an address hold. The listener is one of TCP, on which connections should be [`tune`](crate::tune())d, or of TLS on
/// top of it:
///
/// ```no_run
/// use axum::{Router, serve::ListenerExt};
/// # async fn run(app: Router, stop: tokio_util::sync::CancellationToken) -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let listener = listener.tap_io(|stream| signal_axum::tune(stream));
/// signal_axum::serve(listener, app, stop.cancelled_owned()).await;
/// # Ok(())
/// # }
/// ```
///
/// Once `stop` is done nothing is accepted. Requests that are there are answered, which is waited for, 10 s at most.
/// Sockets stay until they end or [`Signaling::drain`](crate::Signaling::drain) ends them.
pub async fn serve<L>(listener: L, app: Router, stop: impl Future<Output = ()>)
where
    L: Listener<Addr = SocketAddr>,
{
    serve_within(HttpLimits::default(), listener, app, stop).await;
}

/// [`serve`] with these bounds.
pub async fn serve_within<L>(limits: HttpLimits, mut listener: L, app: Router, stop: impl Future<Output = ()>)
where
    L: Listener<Addr = SocketAddr>,
{
    let limits = limits.at_least();
    let (http, app) = (http(limits), TowerToHyperService::new(app));
    let places = Arc::new(Semaphore::new(limits.connections));
    let (connections, stopping) = (TaskTracker::new(), CancellationToken::new());
    let accept = async {
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            let (stream, remote) = listener.accept().await;
            let app = app.clone();
            let answer = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(remote));
                app.call(request)
            });
            let connection = http.serve_connection(TokioIo::new(stream), answer).with_upgrades();
            let stopped = stopping.clone().cancelled_owned();
            connections.spawn(async move {
                let mut connection = pin!(connection);
                let ended = tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = stopped => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ends");
                }
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    if time::timeout(LAST_ANSWERS, connections.wait()).await.is_err() {
        tracing::debug!("some answers are still under way");
    }
}

fn http(limits: HttpLimits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(limits.head_bytes)
        .max_headers(head::MOST_FIELDS)
        // What is read and written ahead, of which hyper takes no less than 8 KiB.
        .max_buf_size(limits.head_bytes);
    http
}

#[cfg(test)]
mod tests;
