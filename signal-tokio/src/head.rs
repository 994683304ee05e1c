//! The HTTP before a socket: what a client may take of the server for it, and what has to be in the head of a request.
//!
//! For adapters, which are to answer alike.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version, header, request::Parts,
};
use sha1::{Digest, Sha1};

/// What may be taken of a server before there is a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// How long a client may take for the head of a request, 5 s: one that sends a byte now and then would keep its
    /// connection for ever. The pause between two requests of a connection may be as long. Then the connection is closed.
    /// Where an adapter speaks TLS itself, that is included.
    pub head_timeout: Duration,
    /// Longest head in bytes, 8 KiB, and never less, as HTTP libraries read so much at a time. A browser's has about 1 KiB, and
    /// the rest is for cookies and tokens. A longer one is answered with 431.
    pub head_bytes: usize,
    /// How many connections may be there at a time that are no WebSockets, 4,096 and never none. When there are so many, no
    /// more are accepted until one ends. A browser has up to six, for as long as it loads a page and the next head may
    /// take; each takes about 10 KiB.
    pub connections: usize,
}

/// The least that [`HttpLimits::head_bytes`] can be.
const LEAST_BYTES: usize = 8 << 10;

impl Default for HttpLimits {
    fn default() -> Self {
        Self { head_timeout: Duration::from_secs(5), head_bytes: LEAST_BYTES, connections: 4096 }
    }
}

impl HttpLimits {
    /// The same, with what is too little for any server put right. For adapters.
    #[must_use]
    pub fn at_least(self) -> Self {
        let (head_bytes, connections) = (self.head_bytes.max(LEAST_BYTES), self.connections.max(1));
        Self { head_bytes, connections, ..self }
    }
}

/// Most fields in a head, 100. A browser sends about 20.
pub const MOST_FIELDS: usize = 100;

/// Looks at a request for a WebSocket over HTTP/1.1 (RFC 6455, section 4.2.1), or over HTTP/2, where it is a `CONNECT`
/// (RFC 8441, section 5).
///
/// # Errors
///
/// One that cannot be upgraded is to be [`refuse`]d with this status:
///
/// | status | why |
/// |---|---|
/// | 405, with `Allow` | it is no `GET` |
/// | 426, with `Upgrade` and `Sec-WebSocket-Version` | it asks for no WebSocket, or for another version (section 4.4) |
/// | 400 | its version or its key is missing, or there are several |
pub fn check(request: &Parts) -> Result<(), StatusCode> {
    if request.version == Version::HTTP_2 && request.method == Method::CONNECT {
        let version = only(&request.headers, header::SEC_WEBSOCKET_VERSION);
        return if version.is_some_and(|version| version == VERSION) {
            Ok(())
        } else {
            Err(StatusCode::BAD_REQUEST)
        };
    }
    if request.method != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let headers = &request.headers;
    let has = |name, word| words(headers, name).any(|other| other.eq_ignore_ascii_case(word));
    let asks = has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket");
    if request.version < Version::HTTP_11 || !asks {
        return Err(StatusCode::UPGRADE_REQUIRED);
    }
    let version = only(headers, header::SEC_WEBSOCKET_VERSION);
    match (version, only(headers, header::SEC_WEBSOCKET_KEY)) {
        (Some(version), Some(_)) if version == VERSION => Ok(()),
        (Some(version), _) if version != VERSION => Err(StatusCode::UPGRADE_REQUIRED),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

/// The answer to a request that [`check`] has nothing against: from then on the connection is a
/// [`WebSocket`](crate::WebSocket).
#[must_use]
pub fn accept(request: &Parts) -> Response<()> {
    let mut response = Response::new(());
    // HTTP/2 has no other protocol to switch to, and nothing to show by a key.
    if request.version < Version::HTTP_2 {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let fields = response.headers_mut();
        fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Some(key) = request.headers.get(header::SEC_WEBSOCKET_KEY) {
            fields.insert(header::SEC_WEBSOCKET_ACCEPT, accept_key(key.as_bytes()));
        }
    }
    if words(&request.headers, header::SEC_WEBSOCKET_PROTOCOL).any(|name| name == SUBPROTOCOL) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    response
}

/// Shows that the key was read (RFC 6455, section 4.2.2).
fn accept_key(key: &[u8]) -> HeaderValue {
    let hash = Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize();
    HeaderValue::from_str(&STANDARD.encode(hash)).expect("base64 is visible ASCII")
}

/// The answer to a request that is refused for its head, with what has to go with its status.
#[must_use]
pub fn refuse(status: StatusCode) -> Response<String> {
    let (why, fields): (_, &[(HeaderName, &'static str)]) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("Only GET is answered here.", &[(header::ALLOW, "GET")]),
        StatusCode::UPGRADE_REQUIRED => (
            "This is the address of a WebSocket.",
            &[(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, VERSION)],
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("The head of the request is too long.", &[]),
        StatusCode::NOT_FOUND => ("There is nothing here.", &[]),
        _ => ("This is not a request that can be read.", &[]),
    };
    let mut response = Response::new(why.to_owned());
    *response.status_mut() = status;
    let text = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    for (name, value) in fields.iter().chain([&text]) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The optional WebSocket subprotocol of version 1.
const SUBPROTOCOL: &str = "signal.v1";

/// What RFC 6455 has appended to each key.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The version of the WebSocket protocol.
const VERSION: &str = "13";

/// What is in the list that a field of that name is.
fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// The field of that name, if there is one and no more.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut fields = headers.get_all(name).iter();
    fields.next().filter(|_| fields.next().is_none())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(request: http::request::Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    /// The example of RFC 6455, section 1.3.
    #[test]
    fn the_key_is_answered_as_the_standard_has_it() {
        let request = Request::get("/")
            .header("Connection", "keep-alive, Upgrade")
            .header("Upgrade", "h2c, WebSocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Protocol", "chat, signal.v1");
        let request = parts(request);
        assert_eq!(check(&request), Ok(()));
        let answer = accept(&request);
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(answer.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "signal.v1");
    }

    #[test]
    fn over_http_2_it_is_a_connect_that_is_answered_with_200() {
        let request = |method, version| {
            let request = Request::builder().method(method).version(Version::HTTP_2).uri("/");
            parts(request.header("Sec-WebSocket-Version", version))
        };
        assert_eq!(check(&request("CONNECT", "13")), Ok(()));
        let answer = accept(&request("CONNECT", "13"));
        assert_eq!((answer.status(), answer.headers().len()), (StatusCode::OK, 0));
        assert_eq!(check(&request("CONNECT", "12")), Err(StatusCode::BAD_REQUEST));
        assert_eq!(check(&request("GET", "13")), Err(StatusCode::UPGRADE_REQUIRED));
    }
}
