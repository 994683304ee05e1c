//! The upgrade from HTTP/1.1 (RFC 6455, section 4.2), with a policy that may wait.
//!
//! tungstenite's own accept loop asks a callback that cannot wait, so the head is read here; parsing it and making
//! the answer are tungstenite's.

use std::{io, net::SocketAddr};

use http::{HeaderValue, Response, StatusCode, header};
use signal_tokio::{Admitted, Signaling, head};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    Error,
    error::{CapacityError, ProtocolError},
    handshake::{
        machine::TryParse,
        server::{Request, write_response},
    },
};

/// How a client begins that wants HTTP/2 without having asked whether it may (RFC 9113, section 3.4). It understands no
/// answer.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The head of a request, and what has come after it; or what is wrong with it.
pub(crate) type Head = Result<(Request, Vec<u8>), StatusCode>;

/// Answers a request. What has become a WebSocket, and what was read of it; `None` when it was refused, and has been told so.
pub(crate) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    head: Head,
    path: Option<&str>,
    signaling: &Signaling,
    remote: SocketAddr,
) -> io::Result<Option<(S, Vec<u8>, Admitted)>> {
    let (request, rest) = match head {
        Ok(head) => head,
        Err(status) => return refuse(stream, head::refuse(status)).await,
    };
    if path.is_some_and(|path| path != request.uri().path()) {
        return refuse(stream, head::refuse(StatusCode::NOT_FOUND)).await;
    }
    let (parts, ()) = request.into_parts();
    if let Err(status) = head::check(&parts) {
        return refuse(stream, head::refuse(status)).await;
    }
    match signaling.admit(&parts, Some(remote)).await {
        Ok(admitted) => {
            write_head(&mut stream, &head::accept(&parts)).await?;
            Ok(Some((stream, rest, admitted)))
        }
        Err(refusal) => refuse(stream, refusal.into_response()).await,
    }
}

/// Reads the head of a request, of so many bytes at most.
pub(crate) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S, most: usize) -> io::Result<Head> {
    let mut head = Vec::with_capacity(1 << 10);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(Err(match Request::try_parse(&head) {
            Ok(Some((length, request))) if length <= most && request.headers().len() <= head::MOST_FIELDS => {
                return Ok(Ok((request, head.split_off(length))));
            }
            Ok(None) if head.len() < most => continue,
            Ok(_) | Err(Error::Capacity(CapacityError::TooManyHeaders)) => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => StatusCode::METHOD_NOT_ALLOWED,
            Err(Error::Protocol(ProtocolError::WrongHttpVersion)) => StatusCode::UPGRADE_REQUIRED,
            Err(_) if head.starts_with(HTTP_2) => return Err(io::ErrorKind::Unsupported.into()),
            Err(_) => StatusCode::BAD_REQUEST,
        }));
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

async fn refuse<S: AsyncWrite + Unpin, T>(stream: S, response: Response<String>) -> io::Result<Option<T>> {
    answer(stream, response.map(String::into_bytes)).await?;
    Ok(None)
}

async fn write_head<S: AsyncWrite + Unpin, T>(stream: &mut S, response: &Response<T>) -> io::Result<()> {
    let mut head = Vec::with_capacity(256);
    write_response(&mut head, response).map_err(io::Error::other)?;
    stream.write_all(&head).await?;
    stream.flush().await
}
