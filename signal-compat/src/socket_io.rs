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
use http::request::Parts;
use signal_axum::{Dialect, Guest, Origins, Signaling};
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
    /// answers them too (CORS).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.mount.origins = Some(origins);
        self
    }

    /// `/socket.io/`, where clients look for it unless they are told another `path`; to be merged, or nested under the start of
    /// that.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { mount, meets_native } = self;
        let timing = mount.signaling.timing();
        let config = EngineIoConfig::builder()
            .req_path(PATH)
            .ping_interval(timing.heartbeat)
            .ping_timeout(timing.heartbeat_timeout)
            .max_buffer_size(MOST_PACKETS)
            .max_payload(mount.signaling.most_read() as u64)
            .build();
        let dialect: Arc<dyn Dialect> = Arc::new(Words { meets_native });
        let engine = Arc::new(Engine::new(&mount.signaling));
        let service = EngineIoService::with_config(engine, config);
        let cors = mount.cors().allow_credentials(true);
        let answer = async move |request: Request| {
            let (mut parts, body) = request.into_parts();
            if !has_session(&parts) {
                let guest = Guest::new(Arc::clone(&dialect));
                match mount.let_in(&parts, guest).await {
                    Ok(admitted) => drop(parts.extensions.insert(Ticket::new(admitted))),
                    Err(refusal) => return refusal.into_response().into_response(),
                }
            }
            call(service.clone(), Request::from_parts(parts, body)).await
        };
        Router::new().route(PATH, any(answer)).layer(cors)
    }
}

/// Whether the request belongs to a session of Engine.IO that is there already.
fn has_session(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|field| field.starts_with("sid=")))
}

async fn call(mut service: EngineIoService<Engine>, request: Request) -> Response {
    match service.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
