//! The routes: pages from the folder `pages`, the sockets of the systems, and the JS client.

use std::{fs, io, path::Path};

use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::json;
use tokio::task;
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

use crate::{System, serve::Place};

/// Where the pages are, in the checkout that this program was built in. They are read anew for each request, so that a
/// page can be changed while the server runs.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");

/// The specification that the pages link to.
pub(crate) const PROTOCOL: &str = include_str!("../../docs/protocol.md");

/// What goes with everything here.
pub(crate) const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// Only our own scripts and styles, no inline code, no other server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; media-src 'self' blob:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The whole server. What the pages consist of is under `/pages`.
pub(crate) fn router(places: &[Place]) -> Router {
    let systems = systems(places.iter().map(|place| (place.base.as_str(), place.system)));
    let common = Router::new()
        .route("/systems.json", get(async || ([(header::CONTENT_TYPE, "application/json")], systems)))
        .route(
            "/protocol.md",
            get(async || ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], PROTOCOL)),
        )
        // What browsers ask for unasked, beside pages that have no icon of their own.
        .route_service("/favicon.ico", ServeFile::new(format!("{FOLDER}/shared/icon.svg")))
        .nest_service("/pages", ServeDir::new(FOLDER));
    let pages = places.iter().fold(common, page);
    let pages =
        HEADERS.into_iter().fold(pages, |pages, (name, value)| pages.layer(header_layer(name, value)));
    let health = signal_axum::health(places.iter().map(|place| &place.signaling));
    places.iter().fold(pages.merge(signal_axum::client_files()).merge(health), socket)
}

/// What a server serves, for pages that link to each other.
pub(crate) fn systems<'a>(places: impl Iterator<Item = (&'a str, System)>) -> String {
    let entry = |(base, System { name, title, about, .. })| json!({ "name": name, "path": format!("{base}/"), "title": title, "about": about });
    places.map(entry).collect::<serde_json::Value>().to_string()
}

/// The page of a system, with the HTML that it shares with others.
pub(crate) async fn read(name: &'static str) -> io::Result<String> {
    let path = Path::new(FOLDER).join(name).join("index.html");
    task::spawn_blocking(move || with_includes(&path)).await.map_err(io::Error::other).flatten()
}

fn page(router: Router, Place { base, system, .. }: &Place) -> Router {
    let name = system.name;
    let router = router.route(&format!("{base}/"), get(move || index(name)));
    if base.is_empty() {
        return router;
    }
    let path = format!("{base}/");
    let redirect = async move |RawQuery(query): RawQuery| {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Redirect::permanent(&format!("{path}{query}"))
    };
    router.route(base, get(redirect))
}

fn socket(router: Router, Place { base, signaling, .. }: &Place) -> Router {
    router.nest(&format!("{base}/signal"), signal_axum::router(signaling))
}

async fn index(name: &'static str) -> Response {
    match read(name).await {
        Ok(html) => Html(html).into_response(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tracing::warn!(%error, name, "no page");
            StatusCode::NOT_FOUND.into_response()
        }
        Err(error) => {
            tracing::error!(%error, name, "cannot read the page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Reads HTML in which a line `<!--#include "shared/NAME.html"-->` stands for that file of the folder.
fn with_includes(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let mut html = String::with_capacity(2 * text.len());
    for line in text.split_inclusive('\n') {
        match included(line) {
            Some(name) => html.push_str(&with_includes(&Path::new(FOLDER).join(name))?),
            None => html.push_str(line),
        }
    }
    Ok(html)
}

fn included(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!--#include \"")?.strip_suffix("\"-->")
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
