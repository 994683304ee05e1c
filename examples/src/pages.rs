//! The pages of the demo, from the folder `pages`.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    routing::get,
};
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

/// Where the pages are, in the checkout that this program was built in.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");

/// The specification that the page links to.
const PROTOCOL: &str = include_str!("../../docs/protocol.md");

/// Only our own scripts and styles, no inline code, no other server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' blob:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// `/` is the group call; its files are under `/pages`.
pub(crate) fn router() -> Router {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let pages = Router::new()
        .route_service("/", ServeFile::new(format!("{FOLDER}/group/index.html")))
        .route(
            "/protocol.md",
            get(async || ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], PROTOCOL)),
        )
        // What browsers ask for unasked, beside pages that have no icon of their own.
        .route_service("/favicon.ico", ServeFile::new(format!("{FOLDER}/shared/icon.svg")))
        .nest_service("/pages", ServeDir::new(FOLDER));
    headers.into_iter().fold(pages, |pages, (name, value)| pages.layer(header_layer(name, value)))
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
