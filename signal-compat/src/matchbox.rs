//! Clients of [matchbox](https://docs.rs/matchbox_socket), protocol 0.14.
//!
//! | client | server |
//! |---|---|
//! | connects to `/{room}`, or to `/` | `{"IdAssigned": id}`; those who are there get `{"NewPeer": id}`, and offer |
//! | `{"Signal": {"receiver", "data"}}` | that peer gets `{"Signal": {"sender", "data"}}` |
//! | `"KeepAlive"` | |
//! | closes the socket | the others get `{"PeerLeft": id}` |
//!
//! With `?next=N` groups of N are formed, in the order in which clients come; a client is told of the others when its group is
//! complete. The protocol has no words for errors: what cannot be delivered is dropped, as by matchbox_server, and a client
//! that cannot get into its room is disconnected with 4003.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Query, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::any,
};
use http::{StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use signal_axum::{
    ChannelName, CloseReason, Dialect, ErrorCode, FirstOffer, Guest, Origins, PeerId, Signaling, Speaker,
    Texts, Topology, WebSocketUpgrade,
};
use signal_core::{ClientMessage, Context, Grant, Payload, Place, PoolName, Role, ServerMessage};
use uuid::Uuid;

use crate::{json, mount::Mount};

/// What the policy knows the protocol as.
pub const NAME: &str = "matchbox";

/// What it knows the protocol as where rooms have a host: those are other rooms.
pub const CLIENT_SERVER: &str = "matchbox-client-server";

/// Largest group that can be asked for with `?next=`.
pub const MOST_NEXT: usize = 64;

/// How long somebody waits for the rest of a group, as long as the server can wait.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The name of the room of those who name none.
const NO_ROOM: &str = "-";

/// The routes for clients of matchbox.
///
/// The policy is asked by [`Policy::guest`](signal_axum::Policy::guest) about `matchbox` or `matchbox-client-server`, which it
/// refuses unless it is told otherwise, and for each room by [`Policy::join`](signal_axum::Policy::join), or [`matchmaking`] for `room?next=N`.
///
/// [`matchmaking`]: signal_axum::Policy::matchmaking
#[derive(Clone, Debug)]
pub struct Matchbox {
    mount: Mount,
    topology: Topology,
}

impl Matchbox {
    /// A full mesh: all of a room are connected with each other.
    #[must_use]
    pub fn new(signaling: &Signaling) -> Self {
        Self { mount: Mount::new(signaling), topology: Topology::Mesh }
    }

    /// Client and server: all of a room are connected with the one that was there first. When that leaves, the next takes its
    /// place, and all others are told of it.
    #[must_use]
    pub fn client_server(mut self) -> Self {
        self.topology = Topology::Star;
        self
    }

    /// Which pages may connect, if others than those of [`Builder::origins`](signal_axum::Builder::origins).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.mount.origins = Some(origins);
        self
    }

    /// `/{room}`, and all other paths for those who name none; to be nested by [`Router::nest_service`],
    /// which takes the path with a `/` at its end, too.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let dialect: Arc<dyn Dialect> = Arc::new(Words { topology: self.topology });
        let mount = self.mount;
        let with_room = {
            let (mount, dialect) = (mount.clone(), Arc::clone(&dialect));
            async move |Path(room): Path<String>, query, request: Parts, socket| {
                connect(&mount, dialect, &room, query, &request, socket).await
            }
        };
        let without_room = async move |query, request: Parts, socket| {
            connect(&mount, dialect, NO_ROOM, query, &request, socket).await
        };
        Router::new().route("/{room}", any(with_room)).fallback(without_room)
    }
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    next: Option<String>,
}

async fn connect(
    mount: &Mount,
    dialect: Arc<dyn Dialect>,
    room: &str,
    wanted: Result<Query<Wanted>, QueryRejection>,
    request: &Parts,
    socket: Result<WebSocketUpgrade, Response>,
) -> Response {
    // As matchbox_server: a number that is none is as if it was not there.
    let next = wanted.ok().and_then(|Query(Wanted { next })| next?.parse().ok()).unwrap_or(0);
    match guest(dialect, room, next) {
        Some(guest) => mount.admit(request, socket, guest).await,
        None => (StatusCode::BAD_REQUEST, "The room has a name that is too long, or too many are to meet.")
            .into_response(),
    }
}

fn guest(dialect: Arc<dyn Dialect>, room: &str, next: usize) -> Option<Guest> {
    let id = PeerId::new(&Uuid::new_v4().to_string()).ok()?;
    let namespace = dialect.name();
    let guest = Guest::new(dialect).with_id(id);
    // So that a room cannot be called like a group.
    let room = room.replace('%', "%25").replace('?', "%3F");
    match next {
        0 => Some(guest.joins(ChannelName::within(namespace, &room).ok()?)),
        // Everybody is alone.
        1 => Some(guest),
        2..=MOST_NEXT => Some(guest.waits(PoolName::within(namespace, &format!("{room}?next={next}")).ok()?)),
        _ => None,
    }
}

#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) topology: Topology,
}

/// What a client says.
#[derive(Deserialize)]
enum Request<'t> {
    Signal {
        #[serde(borrow)]
        receiver: Cow<'t, str>,
        #[serde(borrow)]
        data: &'t RawValue,
    },
    KeepAlive,
}

/// What a client is told.
#[derive(Serialize)]
enum Event<'t> {
    IdAssigned(&'t str),
    NewPeer(&'t str),
    PeerLeft(&'t str),
    Signal { sender: &'t str, data: Payload<'t> },
}

impl Dialect for Words {
    fn name(&self) -> &'static str {
        match self.topology {
            Topology::Star => CLIENT_SERVER,
            Topology::Mesh | Topology::Unlisted => NAME,
        }
    }

    fn decode(
        &self,
        _: Speaker<'_>,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode> {
        match serde_json::from_str(text).map_err(|_| ErrorCode::BadMessage)? {
            Request::Signal { receiver, data } => {
                say(ClientMessage::SendToPeer { peer_id: receiver, data: Payload::new(data) });
            }
            // Whatever comes shows that the client lives.
            Request::KeepAlive => {}
        }
        Ok(())
    }

    fn encode(&self, message: &ServerMessage<'_>, _: Context<'_>, texts: &mut Texts<'_>) {
        if let ServerMessage::Welcome { peer_id, .. } = message {
            json::say(texts, Event::IdAssigned(peer_id));
        } else if let ServerMessage::AddPeer { peer_id, role: Role::Offerer, .. } = message {
            json::say(texts, Event::NewPeer(peer_id));
        } else if let ServerMessage::RemovePeer { peer_id, .. } = message {
            json::say(texts, Event::PeerLeft(peer_id));
        } else if let ServerMessage::Message { peer_id: Some(sender), data, .. } = message {
            json::say(texts, Event::Signal { sender, data: *data });
        } else if let ServerMessage::MatchEnded { .. }
        | ServerMessage::Error { channel: Some(_), .. }
        | ServerMessage::Error { pool: Some(_), .. } = message
        {
            // It has no place in its room, and cannot be told so.
            texts.close(CloseReason::Unauthorized);
        }
    }

    fn grant(&self, place: &Place, granted: Grant) -> Grant {
        match granted {
            Grant::Join(mut grant) => {
                grant.settings.topology = self.topology;
                grant.settings.first_offer = FirstOffer::Resident;
                Grant::Join(grant)
            }
            Grant::Match { mut grant, room } => {
                let next = place.to_string().rsplit_once("?next=").and_then(|(_, next)| next.parse().ok());
                grant.settings.capacity = next.unwrap_or(grant.settings.capacity);
                grant.settings.topology = self.topology;
                grant.settings.first_offer = FirstOffer::Resident;
                grant.patience = PATIENCE;
                Grant::Match { grant, room }
            }
            // Guests have had no seats before.
            granted @ Grant::Return { .. } => granted,
        }
    }
}
