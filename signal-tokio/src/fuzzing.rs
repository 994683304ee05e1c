//! What fuzz targets reach that nobody else does: this module is there with `--cfg fuzzing` only.

use std::{borrow::Cow, time::Duration};

use signal_core::{
    ChannelName, ChannelSettings, ClientMessage, ConnectionId, Context, EndReason, Epoch, ErrorCode, Payload,
    PeerId, Position, Role, ServerMessage, Standing,
    codec::{self, FrameLimits},
};

use crate::{
    Dialect, Jwt, Speaker,
    dialect::{self, Seats},
    tokens::{Keys, Signer, Ticket},
};

/// A server's keys, and its life.
#[expect(missing_debug_implementations, reason = "it holds keys")]
pub struct Tokens(Signer);

/// What a resume token says: epoch, session, counter, peer.
pub type Resumed = (u64, u64, u32, PeerId);

impl Tokens {
    /// With one random key if there are none.
    #[must_use]
    pub fn new(keys: &[[u8; 32]], epoch: u64) -> Self {
        let keys = Keys(keys.iter().map(|key| key.to_vec()).collect());
        Self(Signer::new(&keys, Epoch(epoch), Duration::from_secs(60 * 60)))
    }

    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        self.0.sign(body.to_vec())
    }

    #[must_use]
    pub fn resume(&self, (epoch, session, counter, peer): &Resumed, identity: Option<&str>) -> String {
        self.0.resume_token(
            Ticket { epoch: Epoch(*epoch), session: *session, counter: *counter },
            peer,
            identity,
        )
    }

    /// What the token says, and whether it is of this identity.
    #[must_use]
    pub fn read_resume(&self, text: &str, identity: Option<&str>) -> Option<(Resumed, bool)> {
        let token = self.0.read_resume_token(text)?;
        let is_of = token.is_of(identity);
        let Ticket { epoch, session, counter } = token.ticket;
        Some(((epoch.0, session, counter, token.peer), is_of))
    }

    #[must_use]
    pub fn seat(
        &self,
        peer: &PeerId,
        channel: &str,
        settings: &ChannelSettings,
        standing: Standing,
    ) -> String {
        self.0.seat_token(peer, channel, settings, standing)
    }

    #[must_use]
    pub fn read_seat(&self, text: &str, peer: &PeerId, channel: &str) -> Option<(ChannelSettings, Standing)> {
        self.0.read_seat_token(text, peer, channel).map(|seat| (seat.settings, seat.standing))
    }
}

/// Who comes with a JSON Web Token, and whether it may join this channel and wait in this pool.
#[must_use]
pub fn lets_in(
    jwt: &Jwt,
    token: &str,
    now: f64,
    channel: &str,
    pool: &str,
) -> Option<(Box<str>, bool, bool)> {
    jwt.lets_in(token, now, channel, pool)
}

/// Has a guest say a text. What another guest of the same dialect is told by all that it means, were the two in a channel.
#[must_use]
pub fn retell(dialect: &dyn Dialect, channel: &mut Option<ChannelName>, text: &str) -> Vec<Vec<u8>> {
    let peer = PeerId::new("peer").expect("it is short");
    let mut told = Vec::new();
    let mut tell = |message: &ServerMessage<'_>| {
        let written = dialect::write(dialect, message, Context::default());
        told.extend(written.frames.iter().map(|frame| frame.as_ref().to_vec()));
    };
    let limits = FrameLimits::default();
    let speaker = Speaker { peer: &peer, channel, seats: &Nowhere };
    let understood = codec::check(text, &limits).and_then(|()| {
        dialect.decode(speaker, text, &mut |message| {
            consequences(&peer, message).iter().for_each(&mut tell);
        })
    });
    if let Err(code) = understood {
        tell(&ServerMessage::from(code));
    }
    told
}

fn consequences<'m>(peer: &'m PeerId, message: ClientMessage<'m>) -> Vec<ServerMessage<'m>> {
    let peer_id = Cow::Borrowed(peer.as_str());
    let introduced = |channel: Cow<'m, str>, userdata: Option<Payload<'m>>| {
        let connection_id = ConnectionId { epoch: Epoch(0), position: Position(0) };
        let add = |role| ServerMessage::AddPeer {
            channel: channel.clone(),
            peer_id: Cow::Borrowed(peer.as_str()),
            role,
            connection_id,
            userdata: userdata.unwrap_or(Payload::NULL),
            identity: None,
            is_host: false,
        };
        let mut told =
            vec![add(Role::Offerer), add(Role::Answerer), ServerMessage::from(ErrorCode::ChannelFull)];
        if let Some(ServerMessage::Error { channel: named, .. }) = told.last_mut() {
            *named = Some(channel.clone());
        }
        told.push(ServerMessage::Joined { id: None, channel, peers: 0, seat: None });
        told
    };
    match message {
        ClientMessage::Join { channel, userdata, .. } => introduced(channel, userdata),
        ClientMessage::Match { userdata, .. } => introduced("~match".into(), userdata),
        ClientMessage::Part { channel } => {
            vec![ServerMessage::RemovePeer { channel, peer_id, reason: EndReason::Parted }]
        }
        ClientMessage::SendToPeer { data, .. } => {
            vec![ServerMessage::Message { peer_id: Some(peer_id), channel: None, data }]
        }
        ClientMessage::SendToChannel { channel, data, .. } => {
            vec![ServerMessage::Message { peer_id: Some(peer_id), channel: Some(channel), data }]
        }
        ClientMessage::RelaySessionDescription { session_description, connection_id, attempt, .. } => {
            vec![ServerMessage::SessionDescription { peer_id, session_description, connection_id, attempt }]
        }
        ClientMessage::RelayIceCandidate { ice_candidate, connection_id, attempt, .. } => {
            vec![ServerMessage::IceCandidate { peer_id, ice_candidate, connection_id, attempt }]
        }
        ClientMessage::Ping => vec![ServerMessage::Pong],
        ClientMessage::Bye | ClientMessage::CancelMatch { .. } | ClientMessage::SetUserdata { .. } => {
            Vec::new()
        }
        ClientMessage::Hello(_) | ClientMessage::Ack { .. } => panic!("guests have no words for that"),
    }
}

/// Of a peer without seats.
#[derive(Debug)]
struct Nowhere;

impl Seats for Nowhere {
    fn of(&self, _: &PeerId) -> Vec<ChannelName> {
        Vec::new()
    }
}
