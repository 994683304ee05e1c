//! Rooms over a raw WebSocket: no web framework here, and no library of ours in the page.
//!
//! ```text
//! cargo run --release --bin raw
//! ```
//!
//! `signal-tungstenite` accepts the connections, and what is not for the socket at `/signal` is a request for a file.
//! The page speaks the protocol by hand, as `docs/protocol.md` describes it, and shows each frame. It meets pages that
//! use the client from `/client.js` in the same rooms.

use std::error::Error;

use http::request::Parts;
use signal_tungstenite::{ConfigError, Server, Signaling, health};

use crate::{Arguments, DRAIN, System, files, stopped};

/// Serves `pages/raw`.
pub const SYSTEM: System = System {
    name: "raw",
    title: "By hand",
    about: "The protocol spoken by a page of plain JavaScript, which shows every frame.",
    signaling,
};

/// The server alone, until it is told to stop.
///
/// # Errors
///
/// When it cannot listen, or the certificate is not usable.
pub async fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let signaling = signaling(arguments)?;
    let admin = arguments.admin().await?;
    let watched = signaling.clone();
    let answer = move |request: Parts| {
        let health = health(request.uri.path(), [&watched]);
        async move {
            match health {
                Some(answer) => answer.map(|text| text.as_bytes().to_vec()),
                None => files::answer(SYSTEM, request).await,
            }
        }
    };
    let mut server = Server::new(&signaling).path("/signal").fallback(answer);
    if let Some(config) = arguments.tls()? {
        server = server.tls(config);
    }
    let listener = arguments.listen().await?;
    let _admin = admin.map(|admin| admin.serve([(SYSTEM.name, "", &signaling)].into_iter())).transpose()?;
    // While the clients are asked to come back later, requests are still answered: with no, and that it goes down.
    let stop = async {
        stopped().await;
        signaling.drain(DRAIN).await;
    };
    server.serve(listener, stop).await;
    Ok(())
}

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).build()
}
