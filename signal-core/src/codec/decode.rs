//! From the text of a client to a message.

use std::borrow::Cow;

use smol_str::SmolStr;

use super::{FrameLimits, reader::Reader};
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

/// Reads one frame of a client. Nothing is allocated unless a key, a name or an id is written with escapes, or an id that
/// is text has more than 23 bytes.
///
/// # Errors
///
/// [`DecodeError`] when the frame is too large, not JSON, not of a known type or not of the form of its type.
pub fn decode<'a>(text: &'a str, limits: &FrameLimits) -> Result<ClientFrame<'a>, DecodeError> {
    let without_id = |code| DecodeError { code, id: None };
    if text.len() > limits.message {
        return Err(without_id(ErrorCode::TooLarge));
    }
    let mut fields = Fields::default();
    fields.read(text, limits).ok_or(without_id(ErrorCode::BadMessage))?;
    let id = fields.id.map(request_id).transpose().map_err(without_id)?;
    match fields.message(limits) {
        Ok(message) => Ok(ClientFrame { id, message }),
        Err(code) => Err(DecodeError { code, id }),
    }
}

/// Holds a text of another protocol to the bounds of a frame: its size, its nesting and its keys. It is JSON in full then.
///
/// # Errors
///
/// An error of form.
pub fn check(text: &str, limits: &FrameLimits) -> Result<(), ErrorCode> {
    if text.len() > limits.message {
        return Err(ErrorCode::TooLarge);
    }
    Reader::new(text, limits).whole_value().ok_or(ErrorCode::BadMessage)
}

/// Every key of every message. They stay text until the type is known, so that their order does not matter and a
/// key that does not belong to the type is ignored like any other. `null` counts as absent, except for payloads.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<&'a str>,
    id: Option<&'a str>,
    version: Option<&'a str>,
    token: Option<&'a str>,
    resume: Option<&'a str>,
    replaces: Option<&'a str>,
    channel: Option<&'a str>,
    pool: Option<&'a str>,
    leave: Option<&'a str>,
    peer_id: Option<&'a str>,
    userdata: Option<&'a str>,
    data: Option<&'a str>,
    session_description: Option<&'a str>,
    description: Description<'a>,
    ice_candidate: Option<&'a str>,
    candidate: Candidate<'a>,
    connection_id: Option<&'a str>,
    attempt: Option<&'a str>,
    received: Option<&'a str>,
    seat: Option<&'a str>,
}

/// The keys of an `RTCSessionDescriptionInit`, looked at while the frame is read: it is most of a frame.
#[derive(Default)]
struct Description<'a> {
    kind: Option<&'a str>,
    sdp: Option<&'a str>,
    is_ambiguous: bool,
}

/// Those keys of an `RTCIceCandidateInit` that are looked at.
#[derive(Default)]
struct Candidate<'a> {
    candidate: Option<&'a str>,
    sdp_mid: Option<&'a str>,
    sdp_m_line_index: Option<&'a str>,
    username_fragment: Option<&'a str>,
    is_ambiguous: bool,
}

type Decoded<T> = Result<T, ErrorCode>;

impl<'a> Fields<'a> {
    fn read(&mut self, text: &'a str, limits: &FrameLimits) -> Option<()> {
        Reader::new(text, limits).whole_object(|reader, key| {
            let (field, value) = match key {
                "type" => (&mut self.kind, reader.value()),
                "id" => (&mut self.id, reader.value()),
                "version" => (&mut self.version, reader.value()),
                "token" => (&mut self.token, reader.value()),
                "resume" => (&mut self.resume, reader.value()),
                "replaces" => (&mut self.replaces, reader.value()),
                "channel" => (&mut self.channel, reader.value()),
                "pool" => (&mut self.pool, reader.value()),
                "leave" => (&mut self.leave, reader.value()),
                "peer_id" => (&mut self.peer_id, reader.value()),
                "userdata" => (&mut self.userdata, reader.value()),
                "data" => (&mut self.data, reader.value()),
                "session_description" => (&mut self.session_description, self.description.read(reader)),
                "ice_candidate" => (&mut self.ice_candidate, self.candidate.read(reader)),
                "connection_id" => (&mut self.connection_id, reader.value()),
                "attempt" => (&mut self.attempt, reader.value()),
                "received" => (&mut self.received, reader.value()),
                "seat" => (&mut self.seat, reader.value()),
                _ => return reader.value().map(drop),
            };
            // A key that comes twice would be read differently elsewhere.
            field.replace(value?).is_none().then_some(())
        })?;
        for field in [
            &mut self.id,
            &mut self.token,
            &mut self.resume,
            &mut self.replaces,
            &mut self.channel,
            &mut self.leave,
            &mut self.peer_id,
            &mut self.connection_id,
            &mut self.attempt,
            &mut self.seat,
        ] {
            field.take_if(|json| *json == "null");
        }
        Some(())
    }

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
        Ok(Hello {
            version: integer(required(self.version)?, 1 << 32)? as u32,
            token: self.token.map(|json| bounded_text(json, limits.token)).transpose()?,
            resume: self.resume.map(|json| resume(json, limits)).transpose()?,
            replaces: self.replaces.map(|json| bounded_text(json, limits.token)).transpose()?,
        })
    }

    fn send(&self) -> Decoded<ClientMessage<'a>> {
        let data = Payload::checked(required(self.data)?);
        match (self.peer_id, self.channel) {
            (Some(_), None) => Ok(ClientMessage::SendToPeer { peer_id: self.peer_id()?, data }),
            (None, Some(_)) => {
                Ok(ClientMessage::SendToChannel { channel: self.channel()?, data, echo: false })
            }
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

    /// The kind is checked, the SDP is nobody's business.
    fn session_description(&self, limits: &FrameLimits) -> Decoded<Payload<'a>> {
        let payload = payload(required(self.session_description)?, limits.session_description)?;
        let Description { kind, sdp, is_ambiguous } = self.description;
        let kind = text(required(kind)?)?;
        match (kind.as_ref(), sdp.map(is_text)) {
            _ if is_ambiguous => Err(ErrorCode::BadMessage),
            ("offer" | "answer" | "pranswer" | "rollback", Some(true)) | ("rollback", None) => Ok(payload),
            _ => Err(ErrorCode::BadMessage),
        }
    }

    /// One with a candidate, or `null`, by which some browsers say that there are no more.
    fn ice_candidate(&self, limits: &FrameLimits) -> Decoded<Payload<'a>> {
        let json = required(self.ice_candidate)?;
        let payload = payload(json, limits.ice_candidate)?;
        if json == "null" {
            return Ok(payload);
        }
        let Candidate { candidate, sdp_mid, sdp_m_line_index, username_fragment, is_ambiguous } =
            self.candidate;
        let has_candidate = candidate.is_some_and(is_text);
        let is_index = |json| json == "null" || integer(json, 1 << 16).is_ok();
        let others_fit =
            [sdp_mid, username_fragment].into_iter().flatten().all(|json| json == "null" || is_text(json))
                && sdp_m_line_index.is_none_or(is_index);
        if has_candidate && others_fit && !is_ambiguous { Ok(payload) } else { Err(ErrorCode::BadMessage) }
    }
}

impl<'a> Description<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Option<&'a str> {
        reader.value_of(|reader, key| {
            let field = match key {
                "type" => &mut self.kind,
                "sdp" => &mut self.sdp,
                _ => return reader.value().map(drop),
            };
            self.is_ambiguous |= field.replace(reader.value()?).is_some();
            Some(())
        })
    }
}

impl<'a> Candidate<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Option<&'a str> {
        reader.value_of(|reader, key| {
            let field = match key {
                "candidate" => &mut self.candidate,
                "sdpMid" => &mut self.sdp_mid,
                "sdpMLineIndex" => &mut self.sdp_m_line_index,
                "usernameFragment" => &mut self.username_fragment,
                _ => return reader.value().map(drop),
            };
            self.is_ambiguous |= field.replace(reader.value()?).is_some();
            Some(())
        })
    }
}

fn resume<'a>(json: &'a str, limits: &FrameLimits) -> Decoded<Resume<'a>> {
    let (mut token, mut received) = (None, None);
    let read = Reader::new(json, limits).whole_object(|reader, key| {
        let field = match key {
            "token" => &mut token,
            "received" => &mut received,
            _ => return reader.value().map(drop),
        };
        field.replace(reader.value()?).is_none().then_some(())
    });
    read.ok_or(ErrorCode::BadMessage)?;
    let token = bounded_text(required(token)?, limits.token)?;
    Ok(Resume { token, received: integer(required(received)?, RequestId::NUMBER_END)? })
}

fn required(json: Option<&str>) -> Decoded<&str> {
    json.ok_or(ErrorCode::BadMessage)
}

fn payload(json: &str, most_bytes: usize) -> Decoded<Payload<'_>> {
    if json.len() > most_bytes { Err(ErrorCode::TooLarge) } else { Ok(Payload::checked(json)) }
}

fn is_text(json: &str) -> bool {
    json.starts_with('"')
}

/// A string: the slice between the quotes, or a copy if there are escapes in it.
fn text(quoted: &str) -> Decoded<Cow<'_, str>> {
    let inner =
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(ErrorCode::BadMessage)?;
    // Most are so short that a search with a way out takes longer.
    if inner.bytes().fold(false, |any, byte| any | (byte == b'\\')) {
        return serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| ErrorCode::BadMessage);
    }
    Ok(Cow::Borrowed(inner))
}

fn channel_name(json: &str) -> Decoded<Cow<'_, str>> {
    let name = text(json)?;
    ChannelName::check(&name).map_err(|_| ErrorCode::BadMessage)?;
    Ok(name)
}

fn bounded_text(json: &str, most_bytes: usize) -> Decoded<Cow<'_, str>> {
    let text = text(json)?;
    if text.len() <= most_bytes { Ok(text) } else { Err(ErrorCode::BadMessage) }
}

/// A number written as digits alone, below `end`.
fn integer(json: &str, end: u64) -> Decoded<u64> {
    let number = if json.starts_with('-') { None } else { json.parse().ok() };
    number.filter(|number| *number < end).ok_or(ErrorCode::BadMessage)
}

fn request_id(json: &str) -> Decoded<RequestId> {
    if is_text(json) {
        return bounded_text(json, RequestId::MAX_BYTES).map(|text| RequestId::Text(SmolStr::new(text)));
    }
    integer(json, RequestId::NUMBER_END).map(RequestId::Number)
}
