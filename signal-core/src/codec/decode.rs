//! From the text of a client to a message.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::{FrameLimits, scan};
use crate::{
    ChannelName, ClientFrame, ClientMessage, ConnectionId, ErrorCode, Hello, Payload, PeerId, PoolName,
    RequestId, Resume,
};

/// Why a frame was refused. Always an error of form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct DecodeError {
    /// What the client is told.
    pub code: ErrorCode,
    /// The id of the request, if it could be read.
    pub id: Option<RequestId>,
}

/// Reads one frame of a client. Nothing is allocated unless a name or an id is written with escapes, an id that is
/// text has more than 23 bytes, or a payload nests (8 bytes in which the parser notes the open brackets).
///
/// # Errors
///
/// [`DecodeError`] when the frame is too large, not JSON, not of a known type or not of the form of its type.
pub fn decode<'a>(text: &'a str, limits: &FrameLimits) -> Result<ClientFrame<'a>, DecodeError> {
    let without_id = |code| DecodeError { code, id: None };
    if text.len() > limits.message {
        return Err(without_id(ErrorCode::TooLarge));
    }
    if !scan::is_within(text, limits) {
        return Err(without_id(ErrorCode::BadMessage));
    }
    let fields: Fields<'_> = parse(text).map_err(without_id)?;
    let id = fields.id.map(request_id).transpose().map_err(without_id)?;
    match fields.message(limits) {
        Ok(message) => Ok(ClientFrame { id, message }),
        Err(code) => Err(DecodeError { code, id }),
    }
}

/// Every key of every message. They stay raw until the type is known, so that their order does not matter and a
/// key that does not belong to the type is ignored like any other. `null` counts as absent, except for payloads.
///
/// (An internally tagged enum cannot hold raw values: serde buffers it.)
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    token: Option<&'a RawValue>,
    #[serde(borrow)]
    resume: Option<&'a RawValue>,
    #[serde(borrow)]
    replaces: Option<&'a RawValue>,
    #[serde(borrow)]
    channel: Option<&'a RawValue>,
    #[serde(borrow)]
    pool: Option<&'a RawValue>,
    #[serde(borrow)]
    leave: Option<&'a RawValue>,
    #[serde(borrow)]
    peer_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    userdata: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    session_description: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    ice_candidate: Option<&'a RawValue>,
    #[serde(borrow)]
    connection_id: Option<&'a RawValue>,
    #[serde(borrow)]
    attempt: Option<&'a RawValue>,
    #[serde(borrow)]
    received: Option<&'a RawValue>,
    #[serde(borrow)]
    seat: Option<&'a RawValue>,
}

/// Keeps `null` apart from an absent key, which serde's `Option` does not.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

type Decoded<T> = Result<T, ErrorCode>;

impl<'a> Fields<'a> {
    fn message(&self, limits: &FrameLimits) -> Decoded<ClientMessage<'a>> {
        let kind = text(required(self.kind)?)?;
        Ok(match kind.as_ref() {
            "hello" => ClientMessage::Hello(self.hello(limits)?),
            "join" => ClientMessage::Join {
                channel: self.channel()?,
                userdata: self.userdata.map(|json| payload(json, limits.userdata)).transpose()?,
                seat: self.seat.map(|json| bounded_text(json, limits.token)).transpose()?,
            },
            "part" => ClientMessage::Part { channel: self.channel()? },
            "relaySessionDescription" => ClientMessage::RelaySessionDescription {
                peer_id: self.peer_id()?,
                session_description: self.session_description(limits)?,
                connection_id: self.connection_id()?,
                attempt: self.attempt()?,
            },
            "relayICECandidate" => ClientMessage::RelayIceCandidate {
                peer_id: self.peer_id()?,
                ice_candidate: self.ice_candidate(limits)?,
                connection_id: self.connection_id()?,
                attempt: self.attempt()?,
            },
            "setUserdata" => ClientMessage::SetUserdata {
                channel: self.channel()?,
                userdata: payload(required(self.userdata)?, limits.userdata)?,
            },
            "send" => self.send()?,
            "match" => ClientMessage::Match {
                pool: self.pool()?,
                userdata: self.userdata.map(|json| payload(json, limits.userdata)).transpose()?,
                leave: self.leave.map(channel_name).transpose()?,
            },
            "cancelMatch" => ClientMessage::CancelMatch { pool: self.pool()? },
            "ack" => {
                ClientMessage::Ack { received: integer(required(self.received)?, RequestId::NUMBER_END)? }
            }
            "ping" => ClientMessage::Ping,
            "bye" => ClientMessage::Bye,
            _ => return Err(ErrorCode::UnknownType),
        })
    }

    fn hello(&self, limits: &FrameLimits) -> Decoded<Hello<'a>> {
        #[derive(Deserialize)]
        struct ResumeFields<'a> {
            #[serde(borrow)]
            token: &'a RawValue,
            #[serde(borrow)]
            received: &'a RawValue,
        }
        let resume = match self.resume {
            Some(json) => {
                let fields: ResumeFields<'_> = parse(json.get())?;
                let token = bounded_text(fields.token, limits.token)?;
                Some(Resume { token, received: integer(fields.received, RequestId::NUMBER_END)? })
            }
            None => None,
        };
        Ok(Hello {
            version: integer(required(self.version)?, 1 << 32)? as u32,
            token: self.token.map(|json| bounded_text(json, limits.token)).transpose()?,
            resume,
            replaces: self.replaces.map(|json| bounded_text(json, limits.token)).transpose()?,
        })
    }

    fn send(&self) -> Decoded<ClientMessage<'a>> {
        let data = Payload::new(required(self.data)?);
        match (self.peer_id, self.channel) {
            (Some(_), None) => Ok(ClientMessage::SendToPeer { peer_id: self.peer_id()?, data }),
            (None, Some(_)) => Ok(ClientMessage::SendToChannel { channel: self.channel()?, data }),
            (Some(_), Some(_)) | (None, None) => Err(ErrorCode::BadMessage),
        }
    }

    fn channel(&self) -> Decoded<Cow<'a, str>> {
        channel_name(required(self.channel)?)
    }

    fn pool(&self) -> Decoded<Cow<'a, str>> {
        let name = text(required(self.pool)?)?;
        PoolName::check(&name).map_err(|_| ErrorCode::BadMessage)?;
        Ok(name)
    }

    fn peer_id(&self) -> Decoded<Cow<'a, str>> {
        let id = text(required(self.peer_id)?)?;
        PeerId::check(&id).map_err(|_| ErrorCode::BadMessage)?;
        Ok(id)
    }

    fn connection_id(&self) -> Decoded<Option<Cow<'a, str>>> {
        self.connection_id.map(|json| bounded_text(json, ConnectionId::MAX_BYTES)).transpose()
    }

    fn attempt(&self) -> Decoded<Option<u32>> {
        self.attempt.map(|json| integer(json, 1 << 32).map(|number| number as u32)).transpose()
    }

    /// `RTCSessionDescriptionInit`: the kind is checked, the SDP is nobody's business.
    fn session_description(&self, limits: &FrameLimits) -> Decoded<Payload<'a>> {
        #[derive(Deserialize)]
        struct Description<'a> {
            #[serde(borrow, rename = "type")]
            kind: &'a RawValue,
            #[serde(borrow, default, deserialize_with = "present")]
            sdp: Option<&'a RawValue>,
        }
        let json = required(self.session_description)?;
        let payload = payload(json, limits.session_description)?;
        let description: Description<'_> = parse(json.get())?;
        let kind = text(description.kind)?;
        let sdp_is_text = description.sdp.map(|sdp| sdp.get().starts_with('"'));
        match (kind.as_ref(), sdp_is_text) {
            ("offer" | "answer" | "pranswer" | "rollback", Some(true)) | ("rollback", None) => Ok(payload),
            _ => Err(ErrorCode::BadMessage),
        }
    }

    /// `RTCIceCandidateInit` with a candidate, or `null`, by which some browsers say that there are no more.
    fn ice_candidate(&self, limits: &FrameLimits) -> Decoded<Payload<'a>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Candidate<'a> {
            #[serde(borrow)]
            candidate: &'a RawValue,
            #[serde(borrow)]
            sdp_mid: Option<&'a RawValue>,
            #[serde(rename = "sdpMLineIndex")]
            #[expect(dead_code, reason = "only its type is checked")]
            sdp_m_line_index: Option<u16>,
            #[serde(borrow)]
            username_fragment: Option<&'a RawValue>,
        }
        let json = required(self.ice_candidate)?;
        let payload = payload(json, limits.ice_candidate)?;
        if json.get() == "null" {
            return Ok(payload);
        }
        let Candidate { candidate, sdp_mid, username_fragment, .. } = parse(json.get())?;
        let all_are_text = [Some(candidate), sdp_mid, username_fragment]
            .into_iter()
            .flatten()
            .all(|json| json.get().starts_with('"'));
        if all_are_text { Ok(payload) } else { Err(ErrorCode::BadMessage) }
    }
}

fn required(json: Option<&RawValue>) -> Decoded<&RawValue> {
    json.ok_or(ErrorCode::BadMessage)
}

/// Reads an object. An array would do for serde, but is none.
fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Decoded<T> {
    if !json.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return Err(ErrorCode::BadMessage);
    }
    serde_json::from_str(json).map_err(|_| ErrorCode::BadMessage)
}

fn payload(json: &RawValue, most_bytes: usize) -> Decoded<Payload<'_>> {
    if json.get().len() > most_bytes { Err(ErrorCode::TooLarge) } else { Ok(Payload::new(json)) }
}

/// A string: the slice between the quotes, or a copy if there are escapes in it.
fn text(json: &RawValue) -> Decoded<Cow<'_, str>> {
    let quoted = json.get();
    let inner =
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(ErrorCode::BadMessage)?;
    if inner.contains('\\') {
        return serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| ErrorCode::BadMessage);
    }
    Ok(Cow::Borrowed(inner))
}

fn channel_name(json: &RawValue) -> Decoded<Cow<'_, str>> {
    let name = text(json)?;
    ChannelName::check(&name).map_err(|_| ErrorCode::BadMessage)?;
    Ok(name)
}

fn bounded_text(json: &RawValue, most_bytes: usize) -> Decoded<Cow<'_, str>> {
    let text = text(json)?;
    if text.len() <= most_bytes { Ok(text) } else { Err(ErrorCode::BadMessage) }
}

/// A number written as digits alone, below `end`.
fn integer(json: &RawValue, end: u64) -> Decoded<u64> {
    let digits = json.get();
    let number = if digits.starts_with('-') { None } else { digits.parse().ok() };
    number.filter(|number| *number < end).ok_or(ErrorCode::BadMessage)
}

fn request_id(json: &RawValue) -> Decoded<RequestId> {
    if json.get().starts_with('"') {
        return bounded_text(json, RequestId::MAX_BYTES).map(|text| RequestId::Text(SmolStr::new(text)));
    }
    integer(json, RequestId::NUMBER_END).map(RequestId::Number)
}
