//! From one peer to another: the hot path.

use std::borrow::Cow;

use super::{Emit, Hub, confirm};
use crate::{
    ConnectionId, Context, ErrorCode, Output, Payload, Recipients, RequestId, ServerMessage, SessionId,
    channel::Tie,
};

/// What one peer hands to another.
#[derive(Clone, Copy)]
pub(super) enum Relayed<'a> {
    SessionDescription(Payload<'a>, Option<u32>),
    IceCandidate(Payload<'a>, Option<u32>),
    Data(Payload<'a>),
}

impl Hub {
    pub(super) fn relay(
        &self,
        from: SessionId,
        id: Option<RequestId>,
        relayed: Relayed<'_>,
        peer_id: &str,
        connection_id: Option<&str>,
        emit: &mut Emit<'_>,
    ) {
        match self.route(from, relayed, peer_id, connection_id) {
            Ok(to) => {
                let sender = self.peer_of(from).map_or("", |peer| peer.as_str());
                let message = relayed.into_message(sender, connection_id);
                emit(Output::send(Recipients::one(&to), message));
                confirm(from, id.as_ref(), emit);
            }
            Err(code) => {
                let undelivered = match relayed {
                    Relayed::Data(data) => Some(data),
                    Relayed::SessionDescription(..) | Relayed::IceCandidate(..) => None,
                };
                let message = ServerMessage::Error {
                    code,
                    message: Cow::Borrowed(code.message()),
                    id: id.as_ref(),
                    channel: None,
                    pool: None,
                    peer_id: Some(Cow::Borrowed(peer_id)),
                    connection_id: connection_id.map(Cow::Borrowed),
                };
                let context = Context { undelivered, ..Context::default() };
                emit(Output::Send { to: Recipients::one(&from), message, context });
            }
        }
    }

    /// Where it goes, if the two may speak to each other at this moment. A peer that does not exist, one that is
    /// not introduced, and oneself are told apart by nobody.
    fn route(
        &self,
        from: SessionId,
        relayed: Relayed<'_>,
        peer_id: &str,
        connection_id: Option<&str>,
    ) -> Result<SessionId, ErrorCode> {
        let to = self.session_of(peer_id).filter(|to| *to != from).ok_or(ErrorCode::UnknownPeer)?;
        let (sender, receiver) = self.session(from).zip(self.session(to)).ok_or(ErrorCode::UnknownPeer)?;
        let mut ties = sender
            .seats
            .iter()
            .filter_map(|own| {
                let other = receiver.seat_in(own.room)?;
                let channel = &self.rooms[own.room].channel;
                channel.tie((&sender.peer, own.joined_at), (&receiver.peer, other.joined_at))
            })
            .peekable();
        if ties.peek().is_none() {
            return Err(ErrorCode::UnknownPeer);
        }
        let (Some(connection_id), false) = (connection_id, matches!(relayed, Relayed::Data(_))) else {
            return Ok(to);
        };
        let wanted: ConnectionId = connection_id.parse().map_err(|_| ErrorCode::StaleConnection)?;
        let is_live = wanted.epoch == self.epoch && ties.any(|tie| tie == Tie::Introduced(wanted.position));
        if is_live { Ok(to) } else { Err(ErrorCode::StaleConnection) }
    }
}

impl<'a> Relayed<'a> {
    fn into_message(self, sender: &'a str, connection_id: Option<&'a str>) -> ServerMessage<'a> {
        let connection_id = connection_id.map(Cow::Borrowed);
        match self {
            Self::SessionDescription(session_description, attempt) => ServerMessage::SessionDescription {
                peer_id: Cow::Borrowed(sender),
                session_description,
                connection_id,
                attempt,
            },
            Self::IceCandidate(ice_candidate, attempt) => ServerMessage::IceCandidate {
                peer_id: Cow::Borrowed(sender),
                ice_candidate,
                connection_id,
                attempt,
            },
            Self::Data(data) => {
                ServerMessage::Message { peer_id: Some(Cow::Borrowed(sender)), channel: None, data }
            }
        }
    }
}
