//! A page and what it consists of, for a server without a web framework.

use std::{io, path::Path};

use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use tokio::fs;

use crate::{System, pages};

/// The same files and headers as those of the servers with a framework, for a system that is alone.
pub(crate) async fn answer(system: System, request: Parts) -> Response<Vec<u8>> {
    let path = request.uri.path();
    let (status, media_type, body) = match contents(system, path).await {
        Ok(body) => (StatusCode::OK, media_type(path), body),
        Err(_) => (StatusCode::NOT_FOUND, media_type(".txt"), b"There is nothing here.".to_vec()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    for (name, value) in pages::HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn contents(system: System, path: &str) -> io::Result<Vec<u8>> {
    const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../js-client");
    let (folder, file) = match path {
        "/" => return pages::read(system.name).await.map(String::into_bytes),
        "/systems.json" => return Ok(pages::systems([("", system)].into_iter()).into_bytes()),
        "/guests.json" => return Ok(b"[]".to_vec()),
        "/protocol.md" => return Ok(pages::PROTOCOL.into()),
        "/favicon.ico" => (pages::FOLDER, "shared/icon.svg"),
        "/client.js" => (CLIENT, "client.js"),
        _ if path.starts_with("/client/") => (CLIENT, &path[1..]),
        _ => (pages::FOLDER, path.strip_prefix("/pages/").ok_or(io::ErrorKind::NotFound)?),
    };
    // Names of our files are plain. Anything else, such as `..`, may lead out of the folder.
    let is_plain = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    if !file.split('/').all(is_plain) {
        return Err(io::ErrorKind::NotFound.into());
    }
    fs::read(Path::new(folder).join(file)).await
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("html", |(_, extension)| extension) {
        "css" => "text/css",
        "html" => "text/html; charset=utf-8",
        "ico" | "svg" => "image/svg+xml",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}
