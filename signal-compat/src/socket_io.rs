//! Pages with [Socket.IO](https://socket.io) clients, version 3 and 4, of the kinds that are written most: a group chat, a room
//! for two, a meeting room, strangers. What a client emits tells which it is.
//!
//! | | client | server |
//! |---|---|---|
//! | group chat | `join {channel, userdata}`, `part channel` | `addPeer {peer_id, should_create_offer}`, `removePeer {peer_id}` |
//! | | `relaySessionDescription {peer_id, session_description}` | that peer gets `sessionDescription {peer_id, session_description}` |
//! | | `relayICECandidate {peer_id, ice_candidate}` | that peer gets `iceCandidate {peer_id, ice_candidate}` |
//! | room for two | `join room` | `created room`, `joined room`, or `full room` |
//! | | `ready room`, `offer offer, room`, `answer answer, room`, `candidate candidate, room`, `leave room` | the other gets the same without the room |
//! | meeting room | `join-room room, user` | `existing-users [user]`; the others get `user-connected user`, and `user-disconnected user` |
//! | | `camera-toggle ...`, `mic-toggle ...` | the others get `camera-toggled ...`, `mic-toggled ...` |
//! | strangers | `wantToJoin peer` | the one who has waited gets `new_member peer` |
//! | all | what is not understood, or not allowed | `error {code, message}` |
//!
//! `peer_id` is the `socket.id` of the other. Long polling and WebSocket are spoken, but neither binary events nor
//! acknowledgements.

mod engine;
mod events;
mod group;
mod words;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
    routing::any,
};
use engineioxide::{config::EngineIoConfig, service::EngineIoService};
use http::{Method, StatusCode, header, request::Parts};
use signal_axum::{Dialect, Guest, Origins, Refusal, Signaling};
use tokio::{sync::Semaphore, time};
use tower_service::Service;

use self::engine::{Engine, Ticket};
pub(crate) use self::words::Words;
use crate::mount::Mount;

/// What the policy knows the protocol as.
pub const NAME: &str = "socket.io";

/// Where clients look for it.
const PATH: &str = "/socket.io/";

/// Most packets that wait for a client to fetch them, in long polling above all: 1 MiB of the largest. More wait in the outbox of
/// its session.
const MOST_PACKETS: usize = 16;

/// Most requests of long polling at a time. Each waits until there is something to tell, and keeps a place among the connections
/// of the server ([`HttpLimits::connections`](signal_axum::HttpLimits)), which is for all. More are answered with 503.
const MOST_POLLS: usize = 1024;

/// The route for clients of Socket.IO.
///
/// The policy is asked by [`Policy::guest`](signal_axum::Policy::guest) about `socket.io`, which it refuses unless it is told
/// otherwise, and by [`Policy::join`](signal_axum::Policy::join) about the channels `group/NAME`, `two/NAME` and
/// `meeting/NAME`, and by [`matchmaking`](signal_axum::Policy::matchmaking) about the pool `strangers`.
#[derive(Clone, Debug)]
pub struct SocketIo {
    mount: Mount,
    meets_native: bool,
}

impl SocketIo {
    /// For clients of this server.
    #[must_use]
    pub fn new(signaling: &Signaling) -> Self {
        Self { mount: Mount::new(signaling), meets_native: false }
    }

    /// Channels of the group chat are those of our own protocol: members of both are in a call with each other. The policy is
    /// asked for `NAME` then, as for all.
    #[must_use]
    pub fn meets_native(mut self) -> Self {
        self.meets_native = true;
        self
    }

    /// Which pages may connect, if others than those of [`Builder::origins`](signal_axum::Builder::origins). Long polling
    /// answers the same pages (CORS).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.mount.origins = Some(origins);
        self
    }

    /// `/socket.io/`, where clients look for it unless they are told another `path`; to be merged, or nested under the start of
    /// that.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { mount, meets_native } = self;
        let (timing, most_read) = (mount.signaling.timing(), mount.signaling.most_read());
        let config = EngineIoConfig::builder()
            .req_path(PATH)
            .ping_interval(timing.heartbeat)
            .ping_timeout(timing.heartbeat_timeout)
            .max_buffer_size(MOST_PACKETS)
            .max_payload(most_read as u64)
            .ws_max_message_size(most_read)
            .ws_max_frame_size(most_read)
            // Until then nobody asks the client for a sign of life.
            .upgrade_timeout(timing.hello)
            .build();
        let (patience, polls) = (timing.hello, Arc::new(Semaphore::new(MOST_POLLS)));
        let dialect: Arc<dyn Dialect> =
            Arc::new(Words { meets_native, limits: mount.signaling.frame_limits().clone() });
        let engine = Arc::new(Engine::new(&mount.signaling));
        let service = EngineIoService::with_config(engine, config);
        let cors = mount.cors().allow_credentials(true);
        let answer = async move |request: Request| {
            let (mut parts, body) = request.into_parts();
            // A WebSocket is counted among those of its address.
            let place = if is_websocket(&parts) { None } else { Some(polls.try_acquire_owned()) };
            if let Some(Err(_)) = place {
                return Refusal::unavailable("There are too many requests.").into_response().into_response();
            }
            if !has_session(&parts) {
                let guest = Guest::new(Arc::clone(&dialect));
                match mount.let_in(&parts, guest).await {
                    Ok(admitted) => drop(parts.extensions.insert(Ticket::new(admitted))),
                    Err(refusal) => return refusal.into_response().into_response(),
                }
            }
            let is_sent = parts.method == Method::POST;
            let answer = call(service.clone(), Request::from_parts(parts, body));
            if !is_sent {
                return answer.await;
            }
            // What a client sends has to come; what it asks for may take as long as nothing happens.
            let answered = time::timeout(patience, answer).await;
            answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
        };
        Router::new().route(PATH, any(answer)).route_layer(cors)
    }
}

/// Whether the request is for a WebSocket, and nothing else.
fn is_websocket(parts: &Parts) -> bool {
    let says_polling = parts.uri.query().is_some_and(|query| query.contains("polling"));
    parts.headers.contains_key(header::UPGRADE) && !says_polling
}

/// Whether the request names a session of Engine.IO, be it there or not.
fn has_session(parts: &Parts) -> bool {
    let mut fields = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
    let session = fields.find_map(|field| field.strip_prefix("sid="));
    session.is_some_and(|id| id.len() == SID_BYTES && id.bytes().all(is_of_id))
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// As long are the ids of sessions that Engine.IO makes.
const SID_BYTES: usize = 16;

async fn call(mut service: EngineIoService<Engine>, request: Request) -> Response {
    match service.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
