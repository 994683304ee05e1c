//! Clients of [y-webrtc](https://github.com/yjs/y-webrtc), version 10.
//!
//! | client | server |
//! |---|---|
//! | `{"type": "subscribe", "topics": [...]}`, `unsubscribe` | |
//! | `{"type": "publish", "topic", ...}` | all subscribers of the topic, the sender too, get it with `"clients"`, their number |
//! | `{"type": "ping"}` | `{"type": "pong"}` |
//! | what is not understood, or not allowed | `{"type": "error", "code", "message"}`, which clients ignore |
//!
//! A topic is a channel in which nobody is introduced. Whoever publishes has to be subscribed, as each client is.

use std::{borrow::Cow, sync::Arc};

use axum::Router;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use signal_axum::{ChannelName, Dialect, ErrorCode, Origins, Signaling, Speaker, Texts, Topology};
use signal_core::{ClientMessage, Context, Grant, Payload, Place, ServerMessage};

use crate::{json, mount::Mount};

/// What the policy knows the protocol as.
pub const NAME: &str = "y-webrtc";

/// Most subscribers of one topic, unless the policy allows fewer. All that one of them says goes to all, and each has at most 35
/// connections.
pub const MOST_SUBSCRIBERS: u32 = 500;

/// The route for clients of y-webrtc.
///
/// The policy is asked by [`Policy::guest`](signal_axum::Policy::guest) about `y-webrtc`, which it refuses unless it is told
/// otherwise, and for each topic by [`Policy::join`](signal_axum::Policy::join).
#[derive(Clone, Debug)]
pub struct YWebrtc {
    mount: Mount,
}

impl YWebrtc {
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

/// Most topics of one text, four times as many as a client can be in: each is asked of the hub.
const MOST_TOPICS: usize = 64;

#[derive(Debug)]
pub(crate) struct Words;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request<'t> {
    Subscribe { topics: Vec<Topic<'t>> },
    Unsubscribe { topics: Vec<Topic<'t>> },
    Publish { topic: Cow<'t, str> },
    Ping,
}

/// One of a list. What is no text is passed over, as by the original.
#[derive(Deserialize)]
#[serde(untagged)]
enum Topic<'t> {
    Name(Cow<'t, str>),
    Other(serde::de::IgnoredAny),
}

/// What a client is told beside what others publish.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Event<'t> {
    Pong,
    Error { code: &'t str, message: &'t str },
}

impl Dialect for Words {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decode(
        &self,
        _: Speaker<'_>,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode> {
        let request = serde_json::from_str(text).map_err(|_| ErrorCode::BadMessage)?;
        if let Request::Subscribe { topics } | Request::Unsubscribe { topics } = &request
            && topics.len() > MOST_TOPICS
        {
            return Err(ErrorCode::TooLarge);
        }
        match request {
            Request::Subscribe { topics } => names(&topics).for_each(|topic| {
                let channel = Cow::Owned(channel(topic).to_string());
                say(ClientMessage::Join { channel, userdata: None, seat: None });
            }),
            Request::Unsubscribe { topics } => names(&topics).for_each(|topic| {
                say(ClientMessage::Part { channel: Cow::Owned(channel(topic).to_string()) });
            }),
            Request::Publish { topic } => {
                let data: &RawValue = serde_json::from_str(text).map_err(|_| ErrorCode::BadMessage)?;
                let channel = Cow::Owned(channel(&topic).to_string());
                say(ClientMessage::SendToChannel { channel, data: Payload::new(data), echo: true });
            }
            Request::Ping => say(ClientMessage::Ping),
        }
        Ok(())
    }

    fn encode(&self, message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>) {
        if let ServerMessage::Message { peer_id: Some(_), data, .. } = message {
            let clients = context.channel.map_or(0, |channel| channel.members().len());
            // It is an object, with `type` and `topic` in it. If it had `clients`, the last one counts.
            let object = data.as_str();
            let fields = object.strip_suffix('}').unwrap_or(object);
            texts.text(|text| text.extend_from_slice(format!("{fields},\"clients\":{clients}}}").as_bytes()));
        } else if matches!(message, ServerMessage::Pong) {
            json::say(texts, Event::Pong);
        } else if let ServerMessage::Error { code, message, .. } = message {
            json::say(texts, Event::Error { code: code.as_str(), message });
        }
    }

    fn grant(&self, _: &Place, granted: Grant) -> Grant {
        let Grant::Join(mut grant) = granted else { return granted };
        grant.settings.topology = Topology::Unlisted;
        grant.settings.capacity = grant.settings.capacity.min(MOST_SUBSCRIBERS);
        Grant::Join(grant)
    }
}

fn names<'t>(topics: &'t [Topic<'_>]) -> impl Iterator<Item = &'t str> {
    topics.iter().filter_map(|topic| match topic {
        Topic::Name(name) => Some(&**name),
        Topic::Other(_) => None,
    })
}

/// The channel of a topic, whose name may be anything: one that no channel can have is known by its hash.
fn channel(topic: &str) -> ChannelName {
    ChannelName::within(NAME, topic).unwrap_or_else(|_| {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(topic));
        ChannelName::within(NAME, &hash).expect("it is short and of visible characters")
    })
}
