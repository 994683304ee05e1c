//! Pages that speak of rooms over a raw WebSocket, as most servers that somebody has written on an afternoon do.
//!
//! | client | server |
//! |---|---|
//! | `{"type": "join-room", "roomId"}` | those who are there get `{"type": "user-joined", "from", "roomUsers"}`, and offer |
//! | `{"type": "offer", "offer"}`, `{"type": "answer", "answer"}`, `{"type": "ice-candidate", "candidate"}` | the others in the room get it, or the one that `"to"` names, with `"from"` |
//! | closes the socket | the others get `{"type": "user-disconnected", "from"}` |
//! | what is not understood, or not allowed | `{"type": "error", "code", "message"}` |
//!
//! A client is in one room at a time: with a second `join-room` it leaves the first.

use std::{borrow::Cow, sync::Arc};

use axum::Router;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use signal_axum::{
    ChannelName, Dialect, ErrorCode, FirstOffer, Origins, Signaling, Speaker, Texts, Topology,
};
use signal_core::{Channel, ClientMessage, Context, Grant, OwnedPayload, Place, Role, ServerMessage};

use crate::{json, mount::Mount};

/// What the policy knows the protocol as.
pub const NAME: &str = "rooms";

/// The route for rooms over a raw WebSocket.
///
/// The policy is asked by [`Policy::guest`](signal_axum::Policy::guest) about `rooms`, which it refuses unless it is told
/// otherwise, and for each room by [`Policy::join`](signal_axum::Policy::join), which also says how many fit.
#[derive(Clone, Debug)]
pub struct Rooms {
    mount: Mount,
}

impl Rooms {
    /// For clients of this server.
    #[must_use]
    pub fn new(signaling: &Signaling) -> Self {
        Self { mount: Mount::new(signaling) }
    }

    /// Which pages may connect, if others than those of [`Builder::origins`](signal_axum::Builder::origins).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.mount.origins = Some(origins);
        self
    }

    /// Every path is the socket's, to be nested by [`Router::nest_service`],
    /// which takes the path with a `/` at its end, too.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        self.mount.socket(Arc::new(Words))
    }
}

#[derive(Debug)]
pub(crate) struct Words;

/// What a client says.
#[derive(Deserialize)]
struct Request<'t> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'t, str>,
    #[serde(rename = "roomId")]
    room: Option<RoomId>,
    to: Option<String>,
    #[serde(borrow)]
    offer: Option<&'t RawValue>,
    #[serde(borrow)]
    answer: Option<&'t RawValue>,
    #[serde(borrow)]
    candidate: Option<&'t RawValue>,
}

/// Some pages count their rooms.
#[derive(Deserialize)]
#[serde(untagged)]
enum RoomId {
    Text(String),
    Number(serde_json::Number),
}

/// What a client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Event<'t> {
    UserJoined {
        from: &'t str,
        #[serde(rename = "roomUsers")]
        users: Vec<&'t str>,
    },
    UserDisconnected {
        from: &'t str,
    },
    Offer {
        from: &'t str,
        offer: &'t RawValue,
    },
    Answer {
        from: &'t str,
        answer: &'t RawValue,
    },
    IceCandidate {
        from: &'t str,
        /// Nothing: there are no more.
        candidate: Option<&'t RawValue>,
    },
    Error {
        code: &'t str,
        message: &'t str,
    },
}

impl Dialect for Words {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decode(
        &self,
        speaker: Speaker<'_>,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode> {
        let bad = ErrorCode::BadMessage;
        let request: Request<'_> = serde_json::from_str(text).map_err(|_| bad)?;
        let from = speaker.peer.as_str();
        let event = match &*request.kind {
            "join-room" => {
                let room = match request.room.ok_or(bad)? {
                    RoomId::Text(name) => name,
                    RoomId::Number(number) => number.to_string(),
                };
                let room = ChannelName::within(NAME, &room).map_err(|_| bad)?;
                if speaker.channels().contains(&room) {
                    return Ok(());
                }
                if let Some(before) = speaker.channel.replace(room.clone()).filter(|before| *before != room) {
                    say(ClientMessage::Part { channel: Cow::Borrowed(before.as_str()) });
                }
                say(ClientMessage::Join {
                    channel: Cow::Borrowed(room.as_str()),
                    userdata: None,
                    seat: None,
                });
                return Ok(());
            }
            "offer" => Event::Offer { from, offer: request.offer.ok_or(bad)? },
            "answer" => Event::Answer { from, answer: request.answer.ok_or(bad)? },
            "ice-candidate" => Event::IceCandidate { from, candidate: request.candidate },
            _ => return Err(ErrorCode::UnknownType),
        };
        let data = OwnedPayload::from_json(&json::text(event)).map_err(|_| bad)?;
        let data = data.as_payload();
        say(match (request.to, speaker.channel) {
            (Some(peer), _) => ClientMessage::SendToPeer { peer_id: Cow::Owned(peer), data },
            (None, Some(room)) => {
                ClientMessage::SendToChannel { channel: Cow::Borrowed(room.as_str()), data, echo: false }
            }
            // It has joined none.
            (None, None) => return Err(bad),
        });
        Ok(())
    }

    fn encode(&self, message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>) {
        if let ServerMessage::AddPeer { peer_id, role: Role::Offerer, .. } = message {
            let members = context.channel.map(Channel::members).unwrap_or_default();
            let users = members.iter().map(|member| member.peer.as_str()).collect();
            json::say(texts, Event::UserJoined { from: peer_id, users });
        } else if let ServerMessage::RemovePeer { peer_id, .. } = message {
            json::say(texts, Event::UserDisconnected { from: peer_id });
        } else if let ServerMessage::Message { peer_id: Some(_), data, .. } = message {
            // It was written above.
            texts.text(|text| text.extend_from_slice(data.as_str().as_bytes()));
        } else if let ServerMessage::Error { code, message, .. } = message {
            json::say(texts, Event::Error { code: code.as_str(), message });
        }
    }

    fn grant(&self, _: &Place, granted: Grant) -> Grant {
        let Grant::Join(mut grant) = granted else { return granted };
        grant.settings.topology = Topology::Mesh;
        grant.settings.first_offer = FirstOffer::Resident;
        Grant::Join(grant)
    }
}
