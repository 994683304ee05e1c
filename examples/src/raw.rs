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

use signal_tungstenite::{ConfigError, Server, Signaling};

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
    let mut server =
        Server::new(&signaling).path("/signal").fallback(|request| files::answer(SYSTEM, request));
    if let Some(config) = arguments.tls()? {
        server = server.tls(config);
    }
    server.serve(arguments.listen().await?, stopped()).await;
    signaling.drain(DRAIN).await;
    Ok(())
}

fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(SYSTEM.name).build()
}
