//! The clients of other servers, unchanged: who has one of those changes a URL, and is connected here.

use axum::{Json, Router, http::request::Parts, routing::get};
use serde_json::json;
use signal_axum::{Admission, ConfigError, Origins, Policy, Refusal, Signaling, async_trait};
use signal_compat::{Matchbox, PeerServer, Rooms, SocketIo, YWebrtc};

use crate::Arguments;

/// What they are called beside the systems.
pub(crate) const NAME: &str = "guests";

/// Where their admin routes are.
pub(crate) const BASE: &str = "/guests";

/// Client, and how it is told of this server, for the page: there `HTTP`, `WS`, `HOST` and `PORT` become those of the server.
const PROTOCOLS: [(&str, &str); 6] = [
    ("PeerJS", "new Peer({ host: 'HOST', port: PORT })"),
    ("y-webrtc", "new WebrtcProvider('room', doc, { signaling: ['WS/y-webrtc'] })"),
    ("matchbox", "WebRtcSocket::new_reliable(\"WS/matchbox/room\")"),
    ("Socket.IO: a group chat, a room for two, a meeting, strangers", "io('HTTP')"),
    (
        "A group chat with Socket.IO, in calls with the group call here",
        "io('HTTP', { path: '/group/socket.io/' })",
    ),
    ("Rooms over a raw WebSocket", "new WebSocket('WS/rooms')"),
];

/// All protocols have channels of their own, so one signaling is enough.
pub(crate) fn signaling(arguments: &Arguments) -> Result<Signaling, ConfigError> {
    arguments.signaling(NAME).policy(Guests).build()
}

/// Lets in the clients of all protocols. A product would look at a cookie here, or at a token in the URL.
struct Guests;

#[async_trait]
impl Policy for Guests {
    async fn guest(&self, _: &str, _: &Parts) -> Result<Admission, Refusal> {
        Ok(Admission::default())
    }
}

/// Where those connect who meet the people of the group call.
pub(crate) fn of_group(group: &Signaling, arguments: &Arguments) -> Router {
    let socket_io = SocketIo::new(group).meets_native().origins(origins(arguments));
    Router::new().nest("/group", socket_io.router())
}

/// Where all others connect.
pub(crate) fn router(signaling: &Signaling, arguments: &Arguments) -> Router {
    let origins = origins(arguments);
    Router::new()
        .merge(PeerServer::new(signaling).origins(origins.clone()).router())
        .merge(SocketIo::new(signaling).origins(origins.clone()).router())
        .nest_service("/y-webrtc", YWebrtc::new(signaling).origins(origins.clone()).router())
        .nest_service("/matchbox", Matchbox::new(signaling).origins(origins.clone()).router())
        .nest_service("/rooms", Rooms::new(signaling).origins(origins).router())
}

fn origins(arguments: &Arguments) -> Origins {
    if arguments.guests_from_anywhere { Origins::any() } else { arguments.origins() }
}

/// What the page says of them, if they are there.
pub(crate) fn listed(are_there: bool) -> Router {
    let entry = |(client, code)| json!({ "client": client, "code": code });
    let list: Vec<_> = PROTOCOLS.into_iter().filter(|_| are_there).map(entry).collect();
    Router::new().route("/guests.json", get(async || Json(list)))
}
