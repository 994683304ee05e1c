//! The upgrade from HTTP/1.1 (RFC 6455, section 4.2), with a policy that may wait.
//!
//! tungstenite's own accept loop asks a callback that cannot wait, so the head is read here; parsing it and making
//! the answer are tungstenite's.

use std::{io, net::SocketAddr};

use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use signal_tokio::{Admitted, Signaling};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{
            machine::TryParse,
            server::{Request, create_response, write_response},
        },
        protocol::Role,
    },
};

use crate::socket;

/// Longest head of a request in bytes.
const MOST_HEAD: usize = 8 << 10;

/// The optional WebSocket subprotocol of version 1.
const SUBPROTOCOL: &str = "signal.v1";

/// The head of a request, and what has come after it.
pub(crate) type Head = (Request, Vec<u8>);

/// Answers a request. `None` when it was refused, and has been told so.
pub(crate) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    head: Option<Head>,
    path: Option<&str>,
    signaling: &Signaling,
    remote: SocketAddr,
) -> io::Result<Option<(WebSocketStream<S>, Admitted)>> {
    let Some((request, rest)) = head else {
        return refuse(stream, StatusCode::BAD_REQUEST, "This is not a request that can be read.").await;
    };
    if path.is_some_and(|path| path != request.uri().path()) {
        return refuse(stream, StatusCode::NOT_FOUND, "There is nothing here.").await;
    }
    let Ok(mut response) = create_response(&request) else {
        return refuse(stream, StatusCode::UPGRADE_REQUIRED, "This is the address of a WebSocket.").await;
    };
    if asks_for_subprotocol(&request) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    let parts: Parts = request.into_parts().0;
    match signaling.admit(&parts, Some(remote)).await {
        Ok(admitted) => {
            write_head(&mut stream, &response).await?;
            let socket =
                WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(socket::config()))
                    .await;
            Ok(Some((socket, admitted)))
        }
        Err(refusal) => {
            answer(stream, refusal.into_response().map(String::into_bytes)).await?;
            Ok(None)
        }
    }
}

/// Reads the head of a request. `None` when it is too long or not HTTP.
pub(crate) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Head>> {
    let mut head = Vec::with_capacity(1 << 10);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match Request::try_parse(&head) {
            Ok(Some((length, request))) => return Ok(Some((request, head.split_off(length)))),
            Ok(None) if head.len() < MOST_HEAD => {}
            Ok(None) | Err(_) => return Ok(None),
        }
    }
}

/// Whether a request is for the socket at `path`. Without a path, whoever asks for a WebSocket gets it.
pub(crate) fn is_for_socket(request: &Request, path: Option<&str>) -> bool {
    match path {
        Some(path) => request.uri().path() == path,
        None => request.headers().contains_key(header::UPGRADE),
    }
}

/// Answers a request, as the last one of its connection.
pub(crate) async fn answer<S: AsyncWrite + Unpin>(
    mut stream: S,
    mut response: Response<Vec<u8>>,
) -> io::Result<()> {
    let length = response.body().len().into();
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    write_head(&mut stream, &response).await?;
    stream.write_all(response.body()).await?;
    stream.shutdown().await
}

fn asks_for_subprotocol(request: &Request) -> bool {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let names = offers.iter().filter_map(|offer| offer.to_str().ok()).flat_map(|offer| offer.split(','));
    names.into_iter().any(|name| name.trim() == SUBPROTOCOL)
}

async fn refuse<S: AsyncWrite + Unpin, T>(stream: S, status: StatusCode, why: &str) -> io::Result<Option<T>> {
    let mut response = Response::new(why.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer(stream, response).await?;
    Ok(None)
}

async fn write_head<S: AsyncWrite + Unpin, T>(stream: &mut S, response: &Response<T>) -> io::Result<()> {
    let mut head = Vec::with_capacity(256);
    write_response(&mut head, response).map_err(io::Error::other)?;
    stream.write_all(&head).await?;
    stream.flush().await
}
