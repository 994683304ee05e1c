//! From a message to its text. Keys come in the order of `docs/protocol.md`; nothing is allocated but `out` itself.

use std::{fmt::Display, io::Write, time::Duration};

use crate::{ClientFrame, ClientMessage, Payload, RequestId, Role, ServerMessage};

/// Appends the text of `message` to `out`.
pub fn encode(message: &ServerMessage<'_>, out: &mut Vec<u8>) {
    match message {
        ServerMessage::Welcome { peer_id, resumed, received, resume, ice_servers, heartbeat } => {
            let mut object = Object::new(out, "welcome");
            object.text("peer_id", peer_id).literal("resumed", resumed).literal("received", received);
            object.key("resume");
            object.out.extend_from_slice(b"{\"token\":");
            write_text(object.out, &resume.token);
            object.literal("grace_ms", milliseconds(resume.grace));
            object.out.push(b'}');
            object.json("ice_servers", *ice_servers).literal("heartbeat_ms", milliseconds(*heartbeat)).end();
        }
        ServerMessage::IceServers { ice_servers, ttl } => {
            let mut object = Object::new(out, "iceServers");
            object.json("ice_servers", *ice_servers).literal("ttl_ms", milliseconds(*ttl)).end();
        }
        ServerMessage::Joined { id, channel, peers, seat } => {
            let mut object = Object::new(out, "joined");
            object.id(*id).text("channel", channel).literal("peers", peers);
            object.optional_text("seat", seat.as_deref()).end();
        }
        ServerMessage::Parted { id, channel } => {
            Object::new(out, "parted").id(*id).text("channel", channel).end();
        }
        ServerMessage::AddPeer { channel, peer_id, role, connection_id, userdata, identity, is_host } => {
            let mut object = Object::new(out, "addPeer");
            object.text("channel", channel).text("peer_id", peer_id);
            object.literal("should_create_offer", *role == Role::Offerer);
            object.quoted("connection_id", connection_id).json("userdata", *userdata);
            object.optional_text("identity", identity.as_deref());
            if *is_host {
                object.literal("host", true);
            }
            object.end();
        }
        ServerMessage::RemovePeer { channel, peer_id, reason } => {
            let mut object = Object::new(out, "removePeer");
            object.text("channel", channel).text("peer_id", peer_id).quoted("reason", reason.as_str()).end();
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
            Object::new(out, "waiting").id(*id).text("pool", pool).literal("waiting", waiting).end();
        }
        ServerMessage::Matched { id, pool, channel } => {
            Object::new(out, "matched").id(*id).text("pool", pool).text("channel", channel).end();
        }
        ServerMessage::MatchEnded { id, pool, reason } => {
            let mut object = Object::new(out, "matchEnded");
            object.id(*id).text("pool", pool).quoted("reason", reason.as_str()).end();
        }
        ServerMessage::Ok { id } => Object::new(out, "ok").id(Some(id)).end(),
        ServerMessage::Error { code, message, id, channel, pool, peer_id, connection_id } => {
            let mut object = Object::new(out, "error");
            object.quoted("code", code).text("message", message).id(*id);
            object.optional_text("channel", channel.as_deref()).optional_text("pool", pool.as_deref());
            object.optional_text("peer_id", peer_id.as_deref());
            object.optional_text("connection_id", connection_id.as_deref()).end();
        }
        ServerMessage::Ack { received } => Object::new(out, "ack").literal("received", received).end(),
        ServerMessage::Pong => Object::new(out, "pong").end(),
        ServerMessage::Closing { reconnect_after } => {
            Object::new(out, "closing").literal("reconnect_after_ms", milliseconds(*reconnect_after)).end();
        }
    }
}

/// Appends the text of a client's frame to `out`.
pub fn encode_client(frame: &ClientFrame<'_>, out: &mut Vec<u8>) {
    let id = frame.id.as_ref();
    match &frame.message {
        ClientMessage::Hello(hello) => {
            let mut object = Object::new(out, "hello");
            object.id(id).literal("version", hello.version).optional_text("token", hello.token.as_deref());
            if let Some(resume) = &hello.resume {
                object.key("resume");
                object.out.extend_from_slice(b"{\"token\":");
                write_text(object.out, &resume.token);
                object.literal("received", resume.received);
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
        ClientMessage::SendToChannel { channel, data } => {
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
        ClientMessage::Ack { received } => Object::new(out, "ack").id(id).literal("received", received).end(),
        ClientMessage::Ping => Object::new(out, "ping").id(id).end(),
        ClientMessage::Bye => Object::new(out, "bye").id(id).end(),
    }
}

/// A JSON object that is being written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Object<'o> {
    fn new(out: &'o mut Vec<u8>, kind: &str) -> Self {
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        Self { out }
    }

    fn key(&mut self, key: &str) -> &mut Self {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self
    }

    fn text(&mut self, key: &str, text: &str) -> &mut Self {
        write_text(self.key(key).out, text);
        self
    }

    fn optional_text(&mut self, key: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(key, text);
        }
        self
    }

    /// For texts of our own that need no escapes.
    fn quoted(&mut self, key: &str, text: impl Display) -> &mut Self {
        self.key(key).out.push(b'"');
        write_display(self.out, text);
        self.out.push(b'"');
        self
    }

    /// For numbers and booleans.
    fn literal(&mut self, key: &str, value: impl Display) -> &mut Self {
        write_display(self.key(key).out, value);
        self
    }

    fn json(&mut self, key: &str, value: Payload<'_>) -> &mut Self {
        self.key(key).out.extend_from_slice(value.as_str().as_bytes());
        self
    }

    fn id(&mut self, id: Option<&RequestId>) -> &mut Self {
        match id {
            Some(RequestId::Number(number)) => self.literal("id", number),
            Some(RequestId::Text(text)) => self.text("id", text),
            None => self,
        }
    }

    fn attempt(&mut self, attempt: Option<u32>) -> &mut Self {
        match attempt {
            Some(attempt) => self.literal("attempt", attempt),
            None => self,
        }
    }

    fn end(&mut self) {
        self.out.push(b'}');
    }
}

fn write_display(out: &mut Vec<u8>, value: impl Display) {
    // Writing to a `Vec` does not fail.
    let _ = write!(out, "{value}");
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    let needs_escape = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if text.bytes().any(needs_escape) {
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
