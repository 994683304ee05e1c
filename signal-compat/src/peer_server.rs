//! Clients of [PeerJS](https://peerjs.com), as PeerServer 1.0 serves them.
//!
//! | client | server |
//! |---|---|
//! | `GET /{key}/id` | an id that nobody has |
//! | `GET /{key}/peers` | the ids of all, if [`PeerServer::discovery`] is on; 401 otherwise |
//! | connects to `/peerjs?key=&id=&token=` | `OPEN`; or `ID-TAKEN`, or `ERROR`, and the socket is closed |
//! | `OFFER`, `ANSWER`, `CANDIDATE` with `dst` | that peer gets it with `src`; if it is not there, once it has come |
//! | | `EXPIRE`: it has not come for 5 s |
//! | `LEAVE` with `dst` | that peer gets it with `src`, if it is there |
//! | what is not understood | `WARNING`, which clients write into their logs |
//! | `LEAVE` | the session ends, and so does the socket |
//! | `HEARTBEAT` | |
//!
//! Who comes back with the same `token` gets its id back, also if its old socket seems to be there still. All peers of a key
//! are in one channel in which nobody is introduced. Ids stand in the hub with what may not be in an id there escaped as in a
//! URL.

mod mailbox;

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, rejection::QueryRejection},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use http::{StatusCode, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use signal_axum::{
    ChannelName, CloseReason, Dialect, ErrorCode, Guest, Origins, PeerId, Signaling, Speaker, Texts,
    Topology, WebSocketUpgrade,
};
use signal_core::{ClientMessage, Context, Grant, OwnedPayload, Place, ServerMessage};
use uuid::Uuid;

use self::mailbox::{Mailbox, Outcome};
use crate::{json, mount::Mount};

/// What the policy knows the protocol as.
pub const NAME: &str = "peerjs";

/// As PeerServer's `expire_timeout`.
const PATIENCE: Duration = Duration::from_secs(5);

/// The routes for clients of PeerJS.
///
/// The policy is asked by [`Policy::guest`](signal_axum::Policy::guest) about `peerjs`, which it refuses unless it is told
/// otherwise, and by [`Policy::join`](signal_axum::Policy::join) about the channel that is called like the key.
#[derive(Clone, Debug)]
pub struct PeerServer {
    mount: Mount,
    key: String,
    discovery: bool,
    expires_after: Duration,
}

impl PeerServer {
    /// With the key `peerjs`, which clients use unless they are told another.
    #[must_use]
    pub fn new(signaling: &Signaling) -> Self {
        Self {
            mount: Mount::new(signaling),
            key: "peerjs".to_owned(),
            discovery: false,
            expires_after: PATIENCE,
        }
    }

    /// Another key, of letters, digits, `-` and `_`. It stands in each URL, so it is no secret.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Tells whoever asks the ids of all who are there. Off if it is not called.
    #[must_use]
    pub fn discovery(mut self) -> Self {
        self.discovery = true;
        self
    }

    /// How long something is kept for a peer that is not there yet, 5 s if it is not called. It begins anew with each message
    /// of the same sender, so that an offer and its candidates come to their end together.
    #[must_use]
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.expires_after = time;
        self
    }

    /// Which pages may connect, if others than those of [`Builder::origins`](signal_axum::Builder::origins). The other routes
    /// answer the same pages (CORS).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.mount.origins = Some(origins);
        self
    }

    /// `/peerjs`, `/{key}/id` and `/{key}/peers`, to be merged or nested under the path that clients have.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { mount, key, discovery, expires_after } = self;
        let key: Arc<str> = key.into();
        let dialect = Arc::new(Words::new(&mount.signaling, expires_after));
        let cors = mount.cors();
        let peers = {
            let (mount, channel) = (mount.clone(), ChannelName::within(NAME, &key).ok());
            let dialect: Arc<dyn Dialect> = dialect.clone();
            async move |request: Parts| {
                let is_let_in = discovery && mount.let_in(&request, Guest::new(dialect)).await.is_ok();
                if !is_let_in {
                    return (StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
                }
                let channel = channel.and_then(|name| mount.signaling.channel(name.as_str()));
                let members = channel.map(|channel| channel.members).unwrap_or_default();
                Json(members.iter().map(|member| id_of(&member.peer)).collect::<Vec<_>>()).into_response()
            }
        };
        let routes = Router::new()
            .route(&format!("/{key}/id"), get(async || Html(Uuid::new_v4().to_string())))
            .route(&format!("/{key}/peers"), get(peers))
            .route_layer(cors);
        let connect = async move |query: Result<Query<Wanted>, QueryRejection>,
                                  request: Parts,
                                  socket: Result<WebSocketUpgrade, Response>| {
            let wanted = query.map(|Query(wanted)| wanted).unwrap_or_default();
            mount.admit(&request, socket, guest(dialect, &key, &wanted)).await
        };
        routes.route("/peerjs", any(connect))
    }
}

/// What a client has to say of itself.
#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    key: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    token: String,
}

fn guest(dialect: Arc<Words>, key: &str, wanted: &Wanted) -> Guest {
    let refuse =
        |msg| Guest::new(Arc::clone(&dialect) as Arc<dyn Dialect>).refused(json::text(Event::error(msg)));
    if wanted.id.is_empty() || wanted.token.is_empty() || wanted.key.is_empty() {
        return refuse("No id, token, or key supplied to websocket server");
    }
    let Some(channel) = ChannelName::within(NAME, key).ok().filter(|_| wanted.key == key) else {
        return refuse("Invalid key provided");
    };
    let Some(peer) = peer_of(&wanted.id) else { return refuse("Invalid id provided") };
    let taken = json::text(Event::IdTaken { payload: Told { msg: "ID is taken" } });
    Guest::new(dialect).named(peer, &wanted.token, taken).joins(channel)
}

/// What stands in an id of the hub as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// As long as an id that the server makes for a client of its own protocol.
const OWN_BYTES: usize = 22;

/// Before an id that could be one of those: nobody shall sit on the id of a client that comes back.
const MARK: &str = "peerjs:";

/// The id of nobody, for somebody with an id that nobody can have.
const NOBODY: &str = MARK;

/// How the hub knows the one with this id, unless that is empty or too long.
fn peer_of(id: &str) -> Option<PeerId> {
    let escaped = utf8_percent_encode(id, PLAIN).to_string();
    PeerId::new(&if escaped.len() == OWN_BYTES { format!("{MARK}{escaped}") } else { escaped }).ok()
}

/// The id of whom the hub knows so.
fn id_of(peer: &PeerId) -> Cow<'_, str> {
    let escaped = peer.as_str().strip_prefix(MARK).unwrap_or(peer.as_str());
    percent_decode_str(escaped).decode_utf8_lossy()
}

#[derive(Debug)]
pub(crate) struct Words {
    mailbox: Arc<Mailbox>,
}

/// What a client says.
#[derive(Deserialize)]
struct Request<'t> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'t, str>,
    #[serde(borrow)]
    dst: Option<Cow<'t, str>>,
    #[serde(borrow)]
    payload: Option<&'t RawValue>,
}

/// What one client hands to another.
#[derive(Serialize)]
struct Letter<'t> {
    #[serde(rename = "type")]
    kind: &'t str,
    src: &'t str,
    dst: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'t RawValue>,
}

/// What a client is told by the server.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING-KEBAB-CASE")]
enum Event<'t> {
    Open,
    IdTaken { payload: Told<'t> },
    Error { payload: Told<'t> },
    Expire { src: &'t str, dst: &'t str },
    Warning { code: &'t str, msg: &'t str },
}

#[derive(Serialize)]
struct Told<'t> {
    msg: &'t str,
}

impl<'t> Event<'t> {
    fn error(msg: &'t str) -> Self {
        Event::Error { payload: Told { msg } }
    }
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
        let Request { kind, dst, payload } = serde_json::from_str(text).map_err(|_| bad)?;
        match (&*kind, dst) {
            ("HEARTBEAT", _) => {}
            ("LEAVE", None) => say(ClientMessage::Bye),
            ("OFFER" | "ANSWER" | "CANDIDATE" | "LEAVE" | "EXPIRE", Some(dst)) => {
                let letter = Letter { kind: &kind, src: &id_of(speaker.peer), dst: &dst, payload };
                let data = OwnedPayload::from_json(&json::text(letter)).map_err(|_| bad)?;
                let peer = peer_of(&dst);
                let peer_id = Cow::Borrowed(peer.as_ref().map_or(NOBODY, PeerId::as_str));
                say(ClientMessage::SendToPeer { peer_id, data: data.as_payload() });
            }
            ("OFFER" | "ANSWER" | "CANDIDATE" | "EXPIRE", None) => return Err(bad),
            _ => return Err(ErrorCode::UnknownType),
        }
        Ok(())
    }

    fn encode(&self, message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>) {
        if let ServerMessage::Message { data, .. } = message {
            // It was written here, by `decode` or for the mailbox.
            texts.text(|text| text.extend_from_slice(data.as_str().as_bytes()));
        } else if let ServerMessage::Joined { .. } = message {
            json::say(texts, Event::Open);
            // It has joined a moment ago, so it is the last.
            let newcomer = context.channel.and_then(|channel| channel.members().last());
            let letters = newcomer.map(|newcomer| self.mailbox.take(&newcomer.peer)).unwrap_or_default();
            letters.iter().for_each(|letter| texts.text(|text| text.extend_from_slice(letter.as_bytes())));
        } else if let ServerMessage::Error { code, message, peer_id, channel, .. } = message {
            match (code, context.undelivered, peer_id) {
                (ErrorCode::UnknownPeer, Some(letter), Some(absent)) => {
                    self.keep(absent, letter.as_str(), texts)
                }
                (ErrorCode::ChannelFull, ..) => {
                    json::say(texts, Event::error("Server has reached its concurrent user limit"));
                    texts.close(CloseReason::Unauthorized);
                }
                _ if channel.is_some() => {
                    json::say(texts, Event::error(message));
                    texts.close(CloseReason::Unauthorized);
                }
                // Once a client is let in, it takes `ERROR` as the end. This it only writes into its log.
                _ => json::say(texts, Event::Warning { code: code.as_str(), msg: message }),
            }
        }
    }

    fn grant(&self, _: &Place, granted: Grant) -> Grant {
        let Grant::Join(mut grant) = granted else { return granted };
        grant.settings.topology = Topology::Unlisted;
        Grant::Join(grant)
    }
}

impl Words {
    pub(crate) fn new(signaling: &Signaling, expires_after: Duration) -> Self {
        Self { mailbox: Arc::new(Mailbox::new(signaling, expires_after)) }
    }

    /// Keeps what somebody will want who is not there yet.
    fn keep(&self, absent: &str, letter: &str, texts: &mut Texts<'_>) {
        let Ok(Kept { kind, src, dst }) = serde_json::from_str(letter) else { return };
        if !matches!(&*kind, "OFFER" | "ANSWER" | "CANDIDATE") {
            return;
        }
        let known = (absent != NOBODY).then(|| PeerId::new(absent).ok().zip(peer_of(&src))).flatten();
        let kept = known.map(|(absent, sender)| self.mailbox.keep(&absent, &sender, letter));
        if let None | Some(Outcome::Full) = kept {
            json::say(texts, Event::Expire { src: &dst, dst: &src });
        }
    }
}

/// A [`Letter`], as the mailbox looks at it.
#[derive(Deserialize)]
struct Kept<'t> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'t, str>,
    #[serde(borrow)]
    src: Cow<'t, str>,
    #[serde(borrow)]
    dst: Cow<'t, str>,
}
