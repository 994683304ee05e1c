//! A channel, and who on this machine hears of it.

use std::borrow::Cow;

use super::Emit;
use crate::{
    Channel, ChannelName, ConnectionId, EndReason, Epoch, FirstOffer, Member, Output, Payload, Recipients,
    RequestId, Role, ServerMessage, SessionId, Topology,
};

#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: ChannelName,
    pub(super) channel: Channel,
    /// The sessions of this machine that have a seat and know it, in join order.
    pub(super) audience: Vec<SessionId>,
}

impl Room {
    pub(super) fn new(name: ChannelName) -> Self {
        Self { name, channel: Channel::default(), audience: Vec::new() }
    }

    pub(super) fn introduces(&self) -> bool {
        self.channel.settings().topology == Topology::Mesh
    }

    pub(super) fn leave_audience(&mut self, session: SessionId) {
        self.audience.retain(|listener| *listener != session);
    }

    /// Introduces the last member to the audience.
    pub(super) fn announce_newcomer(&self, epoch: Epoch, emit: &mut Emit<'_>) {
        let Some((newcomer, residents)) = self.channel.members().split_last() else { return };
        if let Some(resident) = residents.last() {
            let message = self.add_peer(epoch, resident, newcomer);
            self.send(Recipients::all(&self.audience), message, emit);
        }
    }

    /// Answers a join: how many, then who.
    pub(super) fn answer_join(
        &self,
        epoch: Epoch,
        session: SessionId,
        own: &Member,
        id: Option<&RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let to = Recipients::one(&session);
        let peers = if self.introduces() { self.channel.members().len() - 1 } else { 0 };
        emit(Output::Send { to, message: ServerMessage::Joined { id, channel: self.wire_name(), peers } });
        for other in self.others(own) {
            self.send(to, self.add_peer(epoch, own, other), emit);
        }
    }

    /// Answers a part: done, and whom it has separated from whom.
    pub(super) fn answer_part(
        &self,
        session: SessionId,
        reason: EndReason,
        id: Option<&RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let to = Recipients::one(&session);
        emit(Output::Send { to, message: ServerMessage::Parted { id, channel: self.wire_name() } });
        for other in self.channel.members() {
            self.send(to, self.remove_peer(other, reason), emit);
        }
    }

    pub(super) fn announce_part(&self, member: &Member, reason: EndReason, emit: &mut Emit<'_>) {
        self.send(Recipients::all(&self.audience), self.remove_peer(member, reason), emit);
    }

    pub(super) fn announce_update(&self, member: &Member, session: Option<SessionId>, emit: &mut Emit<'_>) {
        let to = match session {
            Some(session) => Recipients::others(&self.audience, session),
            None => Recipients::all(&self.audience),
        };
        let message = ServerMessage::Userdata {
            channel: self.wire_name(),
            peer_id: Cow::Borrowed(member.peer.as_str()),
            userdata: userdata_of(member),
        };
        self.send(to, message, emit);
    }

    /// What `member` is told about `other`.
    fn add_peer<'a>(&'a self, epoch: Epoch, member: &Member, other: &'a Member) -> ServerMessage<'a> {
        let other_came_later = other.joined_at > member.joined_at;
        let role = match (self.channel.settings().first_offer, other_came_later) {
            (FirstOffer::Newcomer, false) | (FirstOffer::Resident, true) => Role::Offerer,
            (FirstOffer::Newcomer, true) | (FirstOffer::Resident, false) => Role::Answerer,
        };
        ServerMessage::AddPeer {
            channel: self.wire_name(),
            peer_id: Cow::Borrowed(other.peer.as_str()),
            role,
            connection_id: ConnectionId { epoch, position: other.joined_at.max(member.joined_at) },
            userdata: userdata_of(other),
            identity: other.identity.as_deref().map(Cow::Borrowed),
        }
    }

    fn remove_peer<'a>(&'a self, member: &'a Member, reason: EndReason) -> ServerMessage<'a> {
        ServerMessage::RemovePeer {
            channel: self.wire_name(),
            peer_id: Cow::Borrowed(member.peer.as_str()),
            reason,
        }
    }

    fn others<'a>(&'a self, own: &Member) -> impl Iterator<Item = &'a Member> {
        self.channel.members().iter().filter(|member| member.joined_at != own.joined_at)
    }

    /// Sends what follows from an introduction; there is none where nobody is introduced.
    fn send(&self, to: Recipients<'_>, message: ServerMessage<'_>, emit: &mut Emit<'_>) {
        if self.introduces() && !to.is_empty() {
            emit(Output::Send { to, message });
        }
    }

    fn wire_name(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.name.as_str())
    }
}

fn userdata_of(member: &Member) -> Payload<'_> {
    member.userdata.as_ref().map_or(Payload::NULL, |userdata| userdata.as_payload())
}
