//! Signs of life for a supervisor and a load balancer.

use axum::{Router, body::Body, response::Response, routing::get};
use http::Uri;
use signal_tokio::Signaling;

/// `/healthz`, which answers 200 as long as the process answers at all, and `/readyz`, which answers 200 while all of
/// `servers` let clients in and 503 while one goes down or is full. It is merged into an application:
///
/// ```
/// # use axum::Router;
/// # let signaling = signal_axum::Signaling::builder().build()?;
/// let app: Router = Router::new()
///     .nest("/signal", signal_axum::router(&signaling))
///     .merge(signal_axum::health([&signaling]));
/// # Ok::<(), signal_axum::ConfigError>(())
/// ```
pub fn health<'a, S: Clone + Send + Sync + 'static>(
    servers: impl IntoIterator<Item = &'a Signaling>,
) -> Router<S> {
    let servers: Vec<Signaling> = servers.into_iter().cloned().collect();
    let answer = async move |uri: Uri| -> Response {
        let answer = signal_tokio::health(uri.path(), &servers).expect("there is a route for each path");
        answer.map(Body::from)
    };
    Router::new().route("/healthz", get(answer.clone())).route("/readyz", get(answer))
}
