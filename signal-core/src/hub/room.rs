//! A channel, and who on this machine hears of it.

use std::{borrow::Cow, collections::HashMap};

use super::Emit;
use crate::{
    Channel, ChannelName, ConnectionId, Context, Epoch, FirstOffer, Member, Output, Payload, PeerId,
    Recipients, RequestId, Role, ServerMessage, SessionId, Topology,
    channel::{Arrival, Departure},
};

#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: ChannelName,
    pub(super) channel: Channel,
    /// The sessions of this machine that have a seat and know it, in join order.
    audience: Vec<SessionId>,
    /// The host of a star, if it is in the audience.
    host: Option<SessionId>,
}

impl Room {
    pub(super) fn new(name: ChannelName) -> Self {
        Self { name, channel: Channel::default(), audience: Vec::new(), host: None }
    }

    pub(super) fn enter_audience(&mut self, session: SessionId, peers: &HashMap<PeerId, SessionId>) {
        self.audience.push(session);
        self.find_host(peers);
    }

    pub(super) fn leave_audience(&mut self, session: SessionId) {
        self.audience.retain(|listener| *listener != session);
        self.host.take_if(|host| *host == session);
    }

    /// Call it when the channel may have another host.
    fn find_host(&mut self, peers: &HashMap<PeerId, SessionId>) {
        let host = self.channel.host().and_then(|host| peers.get(host).copied());
        self.host = host.filter(|host| self.audience.contains(host));
    }

    /// Whether nobody of this machine knows that it is a member.
    pub(super) fn is_of_others(&self) -> bool {
        self.audience.is_empty()
    }

    /// All who know that they are members.
    pub(super) fn everybody(&self) -> Recipients<'_> {
        Recipients::all(&self.audience)
    }

    /// Who hears what a member says to the channel. `session` is its own, if it is on this machine.
    pub(super) fn listeners(&self, peer: &PeerId, session: Option<SessionId>) -> Recipients<'_> {
        let knows_all =
            self.channel.settings().topology != Topology::Star || self.channel.host() == Some(peer);
        match session {
            _ if !knows_all => Recipients::optional(&self.host),
            Some(session) => Recipients::others(&self.audience, session),
            None => Recipients::all(&self.audience),
        }
    }

    /// Introduces the last member to those of the audience whom it meets.
    pub(super) fn announce_newcomer(&self, epoch: Epoch, emit: &mut Emit<'_>) {
        let members = self.channel.members();
        let Some(newcomer) = members.len().checked_sub(1) else { return };
        let to = self.listeners(&members[newcomer].peer, None);
        // What one of those who meet it is told, all are told.
        if let Some(message) =
            (0..newcomer).rev().find_map(|resident| self.add_peer(epoch, resident, newcomer))
        {
            self.send(to, message, emit);
        }
    }

    /// Whether the last member is the host of a star, as only the first that may be can become by its join.
    pub(super) fn newcomer_is_host(&self) -> bool {
        self.channel.members().last().is_some_and(|newcomer| self.channel.host() == Some(&newcomer.peer))
    }

    /// Answers a join: how many, then who.
    pub(super) fn answer_join(
        &self,
        epoch: Epoch,
        session: SessionId,
        own: &PeerId,
        id: Option<&RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let Some(own) = self.channel.index_of(own) else { return };
        let to = Recipients::one(&session);
        let others = 0..self.channel.members().len();
        let peers = others.filter(|other| self.channel.introduction(own, *other).is_some()).count();
        let message = ServerMessage::Joined { id, channel: self.wire_name(), peers, seat: None };
        self.send(to, message, emit);
        self.introductions(epoch, own).for_each(|message| self.send(to, message, emit));
    }

    /// Answers a part: done, and whom it has separated from whom.
    pub(super) fn answer_part(
        &self,
        session: SessionId,
        departure: &Departure,
        id: Option<&RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let to = Recipients::one(&session);
        self.send(to, ServerMessage::Parted { id, channel: self.wire_name() }, emit);
        for other in self.channel.members() {
            let knew_each_other = match self.channel.settings().topology {
                Topology::Mesh => true,
                Topology::Star => departure.was_host || self.channel.host() == Some(&other.peer),
                Topology::Unlisted => false,
            };
            if knew_each_other {
                self.send_removal(to, other, departure, emit);
            }
        }
    }

    /// Tells those who knew a member that it is gone. When it was the host they meet the next one, who meets them.
    pub(super) fn announce_part(
        &mut self,
        epoch: Epoch,
        departure: &Departure,
        peers: &HashMap<PeerId, SessionId>,
        emit: &mut Emit<'_>,
    ) {
        let topology = self.channel.settings().topology;
        if topology == Topology::Unlisted {
            return;
        }
        let everybody_knew = topology == Topology::Mesh || departure.was_host;
        let to = if everybody_knew { self.everybody() } else { Recipients::optional(&self.host) };
        self.send_removal(to, &departure.member, departure, emit);
        if departure.was_host {
            self.find_host(peers);
            self.announce_host(epoch, emit);
        }
    }

    fn announce_host(&self, epoch: Epoch, emit: &mut Emit<'_>) {
        let Some(host) = self.channel.host().and_then(|host| self.channel.index_of(host)) else { return };
        let members = 0..self.channel.members().len();
        // What one of the others is told, all are told.
        if let Some(message) = members.into_iter().find_map(|member| self.add_peer(epoch, member, host)) {
            self.send(self.listeners(&self.channel.members()[host].peer, self.host), message, emit);
        }
        for message in self.introductions(epoch, host) {
            self.send(Recipients::optional(&self.host), message, emit);
        }
    }

    pub(super) fn announce_update(&self, member: &Member, session: Option<SessionId>, emit: &mut Emit<'_>) {
        if self.channel.settings().topology == Topology::Unlisted {
            return;
        }
        let message = ServerMessage::Userdata {
            channel: self.wire_name(),
            peer_id: Cow::Borrowed(member.peer.as_str()),
            userdata: userdata_of(member),
        };
        self.send(self.listeners(&member.peer, session), message, emit);
    }

    /// All that the member at `own` is told about those whom it meets.
    fn introductions(&self, epoch: Epoch, own: usize) -> impl Iterator<Item = ServerMessage<'_>> {
        let others = 0..self.channel.members().len();
        others.filter_map(move |other| self.add_peer(epoch, own, other))
    }

    /// What the member at `own` is told about the one at `other`; nothing if they are not introduced.
    fn add_peer(&self, epoch: Epoch, own: usize, other: usize) -> Option<ServerMessage<'_>> {
        let introduction = self.channel.introduction(own, other)?;
        let role = match (self.channel.settings().first_offer, introduction.own) {
            (FirstOffer::Newcomer, Arrival::Newcomer) | (FirstOffer::Resident, Arrival::Resident) => {
                Role::Offerer
            }
            (FirstOffer::Newcomer, Arrival::Resident) | (FirstOffer::Resident, Arrival::Newcomer) => {
                Role::Answerer
            }
        };
        let other = &self.channel.members()[other];
        Some(ServerMessage::AddPeer {
            channel: self.wire_name(),
            peer_id: Cow::Borrowed(other.peer.as_str()),
            role,
            connection_id: ConnectionId { epoch, position: introduction.position },
            userdata: userdata_of(other),
            identity: other.identity.as_deref().map(Cow::Borrowed),
            is_host: self.channel.host() == Some(&other.peer),
        })
    }

    fn send_removal(&self, to: Recipients<'_>, gone: &Member, departure: &Departure, emit: &mut Emit<'_>) {
        if !to.is_empty() {
            let (channel, peer_id) = (self.wire_name(), Cow::Borrowed(gone.peer.as_str()));
            let message = ServerMessage::RemovePeer { channel, peer_id, reason: departure.reason };
            let context = Context { gone: Some(gone), ..Context::of(&self.channel) };
            emit(Output::Send { to, message, context });
        }
    }

    fn send(&self, to: Recipients<'_>, message: ServerMessage<'_>, emit: &mut Emit<'_>) {
        if !to.is_empty() {
            emit(Output::Send { to, message, context: Context::of(&self.channel) });
        }
    }

    fn wire_name(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.name.as_str())
    }
}

fn userdata_of(member: &Member) -> Payload<'_> {
    member.userdata.as_ref().map_or(Payload::NULL, |userdata| userdata.as_payload())
}
