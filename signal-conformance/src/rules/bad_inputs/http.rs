//! Before the WebSocket.

use super::scene::Scene;
use crate::wire::Wire;

const WEBSOCKET: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// The headers of an upgrade, and more.
pub(super) fn upgrade_with(more: &[&'static str]) -> Vec<&'static str> {
    [&WEBSOCKET, more].concat()
}

/// Asks for compression, and says whether it got it.
pub(super) async fn offers_compression(scene: &Scene) -> String {
    let wire = Wire::new(scene.server.connect().await);
    let offer = ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits");
    let (_, response) = scene.server.upgrade(wire, &[offer]).await.unwrap();
    let accepted = response.headers().contains_key(offer.0);
    format!("HTTP {}, compression: {accepted}", response.status().as_u16())
}
