//! From a message to its text. Keys come in the order of `docs/protocol.md`; nothing is allocated but `out` itself.

use std::{array, time::Duration};

use super::reader::is_plain;
use crate::{ClientFrame, ClientMessage, ConnectionId, Payload, RequestId, Role, ServerMessage};

/// Appends the text of `message` to `out`.
pub fn encode(message: &ServerMessage<'_>, out: &mut Vec<u8>) {
    match message {
        ServerMessage::Welcome { peer_id, resumed, received, resume, ice_servers, heartbeat } => {
            let mut object = Object::new(out, "welcome");
            object.text("peer_id", peer_id).boolean("resumed", *resumed).number("received", *received);
            object.key("resume");
            object.out.extend_from_slice(b"{\"token\":");
            write_text(object.out, &resume.token);
            object.number("grace_ms", milliseconds(resume.grace));
            object.out.push(b'}');
            object.json("ice_servers", *ice_servers).number("heartbeat_ms", milliseconds(*heartbeat)).end();
        }
        ServerMessage::IceServers { ice_servers, ttl } => {
            let mut object = Object::new(out, "iceServers");
            object.json("ice_servers", *ice_servers).number("ttl_ms", milliseconds(*ttl)).end();
        }
        ServerMessage::Joined { id, channel, peers, seat } => {
            let mut object = Object::new(out, "joined");
            object.id(*id).text("channel", channel).number("peers", *peers);
            object.optional_text("seat", seat.as_deref()).end();
        }
        ServerMessage::Parted { id, channel } => {
            Object::new(out, "parted").id(*id).text("channel", channel).end();
        }
        ServerMessage::AddPeer { channel, peer_id, role, connection_id, userdata, identity, is_host } => {
            let mut object = Object::new(out, "addPeer");
            object.text("channel", channel).text("peer_id", peer_id);
            object.boolean("should_create_offer", *role == Role::Offerer);
            object.connection_id(connection_id).json("userdata", *userdata);
            object.optional_text("identity", identity.as_deref());
            if *is_host {
                object.boolean("host", true);
            }
            object.end();
        }
        ServerMessage::RemovePeer { channel, peer_id, reason } => {
            let mut object = Object::new(out, "removePeer");
            object.text("channel", channel).text("peer_id", peer_id).text("reason", reason.as_str()).end();
        }
        ServerMessage::SessionDescription { peer_id, session_description, connection_id, attempt } => {
            let mut object = Object::new(out, "sessionDescription");
            object.text("peer_id", peer_id).json("session_description", *session_description);
            object.optional_text("connection_id", connection_id.as_deref()).attempt(*attempt).end();
        }
        ServerMessage::IceCandidate { peer_id, ice_candidate, connection_id, attempt } => {
            let mut object = Object::new(out, "iceCandidate");
            object.text("peer_id", peer_id).json("ice_candidate", *ice_candidate);
            object.optional_text("connection_id", connection_id.as_deref()).attempt(*attempt).end();
        }
        ServerMessage::Userdata { channel, peer_id, userdata } => {
            let mut object = Object::new(out, "userdata");
            object.text("channel", channel).text("peer_id", peer_id).json("userdata", *userdata).end();
        }
        ServerMessage::Message { peer_id, channel, data } => {
            let mut object = Object::new(out, "message");
            object.optional_text("peer_id", peer_id.as_deref()).optional_text("channel", channel.as_deref());
            object.json("data", *data).end();
        }
        ServerMessage::Waiting { id, pool, waiting } => {
            Object::new(out, "waiting").id(*id).text("pool", pool).number("waiting", *waiting).end();
        }
        ServerMessage::Matched { id, pool, channel } => {
            Object::new(out, "matched").id(*id).text("pool", pool).text("channel", channel).end();
        }
        ServerMessage::MatchEnded { id, pool, reason } => {
            let mut object = Object::new(out, "matchEnded");
            object.id(*id).text("pool", pool).text("reason", reason.as_str()).end();
        }
        ServerMessage::Ok { id } => Object::new(out, "ok").id(Some(id)).end(),
        ServerMessage::Error { code, message, id, channel, pool, peer_id, connection_id } => {
            let mut object = Object::new(out, "error");
            object.text("code", code.as_str()).text("message", message).id(*id);
            object.optional_text("channel", channel.as_deref()).optional_text("pool", pool.as_deref());
            object.optional_text("peer_id", peer_id.as_deref());
            object.optional_text("connection_id", connection_id.as_deref()).end();
        }
        ServerMessage::Ack { received } => Object::new(out, "ack").number("received", *received).end(),
        ServerMessage::Pong => Object::new(out, "pong").end(),
        ServerMessage::Closing { reconnect_after } => {
            Object::new(out, "closing").number("reconnect_after_ms", milliseconds(*reconnect_after)).end();
        }
    }
}

/// Appends the text of a client's frame to `out`.
pub fn encode_client(frame: &ClientFrame<'_>, out: &mut Vec<u8>) {
    let id = frame.id.as_ref();
    match &frame.message {
        ClientMessage::Hello(hello) => {
            let mut object = Object::new(out, "hello");
            object.id(id).number("version", hello.version).optional_text("token", hello.token.as_deref());
            if let Some(resume) = &hello.resume {
                object.key("resume");
                object.out.extend_from_slice(b"{\"token\":");
                write_text(object.out, &resume.token);
                object.number("received", resume.received);
                object.out.push(b'}');
            }
            object.optional_text("replaces", hello.replaces.as_deref()).end();
        }
        ClientMessage::Join { channel, userdata, seat } => {
            let mut object = Object::new(out, "join");
            object.id(id).text("channel", channel);
            if let Some(userdata) = userdata {
                object.json("userdata", *userdata);
            }
            object.optional_text("seat", seat.as_deref()).end();
        }
        ClientMessage::Part { channel } => Object::new(out, "part").id(id).text("channel", channel).end(),
        ClientMessage::RelaySessionDescription { peer_id, session_description, connection_id, attempt } => {
            let mut object = Object::new(out, "relaySessionDescription");
            object.id(id).text("peer_id", peer_id).json("session_description", *session_description);
            object.optional_text("connection_id", connection_id.as_deref()).attempt(*attempt).end();
        }
        ClientMessage::RelayIceCandidate { peer_id, ice_candidate, connection_id, attempt } => {
            let mut object = Object::new(out, "relayICECandidate");
            object.id(id).text("peer_id", peer_id).json("ice_candidate", *ice_candidate);
            object.optional_text("connection_id", connection_id.as_deref()).attempt(*attempt).end();
        }
        ClientMessage::SetUserdata { channel, userdata } => {
            Object::new(out, "setUserdata").id(id).text("channel", channel).json("userdata", *userdata).end();
        }
        ClientMessage::SendToPeer { peer_id, data } => {
            Object::new(out, "send").id(id).text("peer_id", peer_id).json("data", *data).end();
        }
        ClientMessage::SendToChannel { channel, data, echo: _ } => {
            Object::new(out, "send").id(id).text("channel", channel).json("data", *data).end();
        }
        ClientMessage::Match { pool, userdata, leave } => {
            let mut object = Object::new(out, "match");
            object.id(id).text("pool", pool);
            if let Some(userdata) = userdata {
                object.json("userdata", *userdata);
            }
            object.optional_text("leave", leave.as_deref()).end();
        }
        ClientMessage::CancelMatch { pool } => {
            Object::new(out, "cancelMatch").id(id).text("pool", pool).end();
        }
        ClientMessage::Ack { received } => Object::new(out, "ack").id(id).number("received", *received).end(),
        ClientMessage::Ping => Object::new(out, "ping").id(id).end(),
        ClientMessage::Bye => Object::new(out, "bye").id(id).end(),
    }
}

/// A JSON object that is being written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
}

// What is inlined writes keys as constants.
impl<'o> Object<'o> {
    #[inline]
    fn new(out: &'o mut Vec<u8>, kind: &str) -> Self {
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        Self { out }
    }

    #[inline]
    fn key(&mut self, key: &str) -> &mut Self {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self
    }

    #[inline]
    fn text(&mut self, key: &str, text: &str) -> &mut Self {
        write_text(self.key(key).out, text);
        self
    }

    #[inline]
    fn optional_text(&mut self, key: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(key, text);
        }
        self
    }

    fn number(&mut self, key: &str, number: impl itoa::Integer) -> &mut Self {
        write_number(self.key(key).out, number);
        self
    }

    fn boolean(&mut self, key: &str, value: bool) -> &mut Self {
        self.key(key).out.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    #[inline]
    fn json(&mut self, key: &str, value: Payload<'_>) -> &mut Self {
        self.key(key).out.extend_from_slice(value.as_str().as_bytes());
        self
    }

    fn connection_id(&mut self, id: &ConnectionId) -> &mut Self {
        self.key("connection_id").out.push(b'"');
        write_hex(self.out, id.epoch.0);
        self.out.push(b'.');
        write_number(self.out, id.position.0);
        self.out.push(b'"');
        self
    }

    fn id(&mut self, id: Option<&RequestId>) -> &mut Self {
        match id {
            Some(RequestId::Number(number)) => self.number("id", *number),
            Some(RequestId::Text(text)) => self.text("id", text),
            None => self,
        }
    }

    fn attempt(&mut self, attempt: Option<u32>) -> &mut Self {
        match attempt {
            Some(attempt) => self.number("attempt", attempt),
            None => self,
        }
    }

    #[inline]
    fn end(&mut self) {
        self.out.push(b'}');
    }
}

fn write_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_hex(out: &mut Vec<u8>, number: u64) {
    let digits: [u8; 16] =
        array::from_fn(|place| b"0123456789abcdef"[(number >> (60 - 4 * place) & 0xF) as usize]);
    let leading_zeros = (number.leading_zeros() as usize / 4).min(15);
    out.extend_from_slice(&digits[leading_zeros..]);
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    if !is_plain(text) {
        // A string always has a JSON form, and a `Vec` always has room.
        let _ = serde_json::to_writer(out, text);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
