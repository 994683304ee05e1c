//! From the text of a server to a message, for clients written in Rust.

use std::{borrow::Cow, time::Duration};

use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::{
    ConnectionId, EndReason, ErrorCode, MatchEnd, Payload, RequestId, ResumeOffer, Role, ServerMessage,
};

/// One frame of a server, taken apart. [`ServerFrame::message`] looks at it.
#[derive(Debug, Deserialize)]
pub struct ServerFrame<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<WireId>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    peer_id: Option<Cow<'a, str>>,
    resumed: Option<bool>,
    received: Option<u64>,
    #[serde(borrow)]
    resume: Option<WireOffer<'a>>,
    #[serde(borrow)]
    ice_servers: Option<&'a RawValue>,
    heartbeat_ms: Option<u64>,
    ttl_ms: Option<u64>,
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    peers: Option<usize>,
    #[serde(borrow)]
    seat: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pool: Option<Cow<'a, str>>,
    waiting: Option<usize>,
    should_create_offer: Option<bool>,
    #[serde(borrow)]
    connection_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    userdata: Option<&'a RawValue>,
    #[serde(borrow)]
    identity: Option<Cow<'a, str>>,
    host: Option<bool>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session_description: Option<&'a RawValue>,
    #[serde(borrow)]
    ice_candidate: Option<&'a RawValue>,
    attempt: Option<u32>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    reconnect_after_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct WireOffer<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    grace_ms: u64,
}

#[derive(Debug)]
struct WireId(RequestId);

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(SmolStr),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Number(number) => RequestId::Number(number),
            Either::Text(text) => RequestId::Text(text),
        }))
    }
}

/// Takes one frame of a server apart.
///
/// # Errors
///
/// The parser's, when the frame is not JSON or a key has a value of the wrong type.
pub fn decode_server(text: &str) -> Result<ServerFrame<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

impl ServerFrame<'_> {
    /// The message; nothing if its type is not known or a key is missing, which a client ignores.
    #[must_use]
    pub fn message(&self) -> Option<ServerMessage<'_>> {
        let id = self.id.as_ref().map(|id| &id.0);
        Some(match self.kind.as_ref() {
            "welcome" => {
                let offer = self.resume.as_ref()?;
                ServerMessage::Welcome {
                    peer_id: borrowed(&self.peer_id)?,
                    resumed: self.resumed?,
                    received: self.received?,
                    resume: ResumeOffer {
                        token: Cow::Borrowed(&offer.token),
                        grace: Duration::from_millis(offer.grace_ms),
                    },
                    ice_servers: Payload::new(self.ice_servers?),
                    heartbeat: Duration::from_millis(self.heartbeat_ms?),
                }
            }
            "iceServers" => ServerMessage::IceServers {
                ice_servers: Payload::new(self.ice_servers?),
                ttl: Duration::from_millis(self.ttl_ms?),
            },
            "joined" => ServerMessage::Joined {
                id,
                channel: borrowed(&self.channel)?,
                peers: self.peers?,
                seat: borrowed(&self.seat),
            },
            "parted" => ServerMessage::Parted { id, channel: borrowed(&self.channel)? },
            "addPeer" => ServerMessage::AddPeer {
                channel: borrowed(&self.channel)?,
                peer_id: borrowed(&self.peer_id)?,
                role: if self.should_create_offer? { Role::Offerer } else { Role::Answerer },
                connection_id: self.connection_id.as_deref()?.parse::<ConnectionId>().ok()?,
                userdata: payload(self.userdata),
                identity: borrowed(&self.identity),
                is_host: self.host.unwrap_or(false),
            },
            "removePeer" => ServerMessage::RemovePeer {
                channel: borrowed(&self.channel)?,
                peer_id: borrowed(&self.peer_id)?,
                // The peer is gone, for whatever reason a later server may name.
                reason: EndReason::from_wire(self.reason.as_deref()?).unwrap_or(EndReason::Closed),
            },
            "sessionDescription" => ServerMessage::SessionDescription {
                peer_id: borrowed(&self.peer_id)?,
                session_description: Payload::new(self.session_description?),
                connection_id: borrowed(&self.connection_id),
                attempt: self.attempt,
            },
            "iceCandidate" => ServerMessage::IceCandidate {
                peer_id: borrowed(&self.peer_id)?,
                ice_candidate: payload(self.ice_candidate),
                connection_id: borrowed(&self.connection_id),
                attempt: self.attempt,
            },
            "userdata" => ServerMessage::Userdata {
                channel: borrowed(&self.channel)?,
                peer_id: borrowed(&self.peer_id)?,
                userdata: payload(self.userdata),
            },
            "message" => ServerMessage::Message {
                peer_id: borrowed(&self.peer_id),
                channel: borrowed(&self.channel),
                data: payload(self.data),
            },
            "waiting" => ServerMessage::Waiting { id, pool: borrowed(&self.pool)?, waiting: self.waiting? },
            "matched" => {
                ServerMessage::Matched { id, pool: borrowed(&self.pool)?, channel: borrowed(&self.channel)? }
            }
            "matchEnded" => ServerMessage::MatchEnded {
                id,
                pool: borrowed(&self.pool)?,
                // The waiting is over, for whatever reason a later server may name.
                reason: MatchEnd::from_wire(self.reason.as_deref()?).unwrap_or(MatchEnd::Unavailable),
            },
            "ok" => ServerMessage::Ok { id: id? },
            "error" => ServerMessage::Error {
                code: ErrorCode::from_wire(self.code.as_deref()?)?,
                message: borrowed(&self.message)?,
                id,
                channel: borrowed(&self.channel),
                pool: borrowed(&self.pool),
                peer_id: borrowed(&self.peer_id),
                connection_id: borrowed(&self.connection_id),
            },
            "ack" => ServerMessage::Ack { received: self.received? },
            "pong" => ServerMessage::Pong,
            "closing" => {
                ServerMessage::Closing { reconnect_after: Duration::from_millis(self.reconnect_after_ms?) }
            }
            _ => return None,
        })
    }
}

fn borrowed<'a>(text: &'a Option<Cow<'_, str>>) -> Option<Cow<'a, str>> {
    text.as_deref().map(Cow::Borrowed)
}

/// serde reads `null` as absent; a payload that is absent is `null`.
fn payload(json: Option<&RawValue>) -> Payload<'_> {
    json.map_or(Payload::NULL, Payload::new)
}
