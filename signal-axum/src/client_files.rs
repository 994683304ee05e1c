//! The JS client, served from memory.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};

/// Path, entity tag and text of each module of the client.
const MODULES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// The JS client alone, at `/client.js` and in modules under `/client/`: ES modules for
/// `import { connect } from '/client.js'`. [`router`](crate::router) has it already; this is for applications that
/// want it elsewhere, too.
pub fn client_files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    MODULES.iter().fold(Router::new(), |router, (path, entity_tag, text)| {
        router.route(path, get(async move |headers: HeaderMap| module(&headers, entity_tag, text)))
    })
}

fn module(request: &HeaderMap, entity_tag: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        // Browsers ask each time, and are told that they have it.
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, entity_tag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let is_known =
        request.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == entity_tag.as_bytes());
    if is_known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, text).into_response()
    }
}
