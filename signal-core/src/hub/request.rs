//! What peers ask for in channels, up to the point where the log has to decide.

use std::{borrow::Cow, mem, time::Instant};

use super::{
    Emit, Hub, confirm, reject, reject_because,
    session::{Session, Step, Undecided},
};
use crate::{
    ChannelName, EndReason, Entry, ErrorCode, JoinGrant, Output, OwnedPayload, Payload, Recipients,
    RequestId, ServerMessage, SessionId, Target, Token,
};

/// Something that is asked for in one channel, with its payload borrowed or, while it waits, owned.
#[derive(Debug)]
pub(super) enum Request<P> {
    Join(Option<P>),
    Part,
    SetUserdata(P),
    Send(P),
    /// The embedder takes the peer out of the channel. It waits like any other, but is neither counted nor refused.
    Expel,
}

impl<P> Request<P> {
    /// Whether it takes one of the places for messages that wait.
    pub(super) fn is_counted(&self) -> bool {
        !matches!(self, Self::Expel)
    }
}

impl Request<Payload<'_>> {
    fn into_owned(self) -> Request<OwnedPayload> {
        match self {
            Self::Join(userdata) => Request::Join(userdata.map(Payload::to_owned)),
            Self::Part => Request::Part,
            Self::SetUserdata(userdata) => Request::SetUserdata(userdata.to_owned()),
            Self::Send(data) => Request::Send(data.to_owned()),
            Self::Expel => Request::Expel,
        }
    }
}

impl Request<OwnedPayload> {
    pub(super) fn borrowed(&self) -> Request<Payload<'_>> {
        match self {
            Self::Join(userdata) => Request::Join(userdata.as_ref().map(OwnedPayload::as_payload)),
            Self::Part => Request::Part,
            Self::SetUserdata(userdata) => Request::SetUserdata(userdata.as_payload()),
            Self::Send(data) => Request::Send(data.as_payload()),
            Self::Expel => Request::Expel,
        }
    }
}

impl Hub {
    /// Carries out a request, or lets it wait for the decision on an earlier one about the same channel.
    pub(super) fn request(
        &mut self,
        now: Instant,
        session: SessionId,
        channel: &str,
        id: Option<RequestId>,
        request: Request<Payload<'_>>,
        emit: &mut Emit<'_>,
    ) {
        let most = self.limits.waiting_messages;
        let Some(state) = self.session_mut(session) else { return };
        let waiting = state.waiting;
        match state.undecided_in(channel) {
            Some(undecided) if !request.is_counted() => {
                if !matches!(undecided.waiting.back(), Some((_, Request::Expel))) {
                    undecided.waiting.push_back((None, request.into_owned()));
                }
            }
            Some(Undecided { step: Step::Abandoned, .. }) => {
                reject(session, ErrorCode::Unavailable, channel, id.as_ref(), emit);
            }
            Some(_) if waiting >= most => reject(session, ErrorCode::Limit, channel, id.as_ref(), emit),
            Some(undecided) => {
                undecided.waiting.push_back((id, request.into_owned()));
                state.waiting += 1;
                self.hold_or_release(session, emit);
            }
            None => match request {
                Request::Join(userdata) => self.join(now, session, channel, id, userdata, emit),
                Request::Part => self.part(now, session, channel, id, emit),
                Request::SetUserdata(userdata) => {
                    self.set_userdata(now, session, channel, id, userdata, emit)
                }
                Request::Send(data) => self.send_to_channel(session, channel, id, data, emit),
                Request::Expel => self.withdraw_seat(session, channel, emit),
            },
        }
    }

    pub(super) fn hold_or_release(&mut self, session: SessionId, emit: &mut Emit<'_>) {
        let most = self.limits.waiting_messages;
        let Some(state) = self.session_mut(session) else { return };
        let hold = state.waiting >= most;
        if hold != state.held {
            state.held = hold;
            emit(if hold { Output::Hold { session } } else { Output::Release { session } });
        }
    }

    fn join(
        &mut self,
        now: Instant,
        session: SessionId,
        channel: &str,
        id: Option<RequestId>,
        userdata: Option<Payload<'_>>,
        emit: &mut Emit<'_>,
    ) {
        let most = self.limits.channels_per_peer;
        let Ok(name) = ChannelName::new(channel) else {
            return reject(session, ErrorCode::BadMessage, channel, id.as_ref(), emit);
        };
        let Some(state) = self.session(session) else { return };
        let seat = self.room_keys.get(&name).and_then(|room| state.seat_in(*room));
        match (seat, userdata) {
            (Some(seat), None) => self.answer_join(session, seat.room, id.as_ref(), emit),
            (Some(_), Some(userdata)) => {
                let entry = Entry::Update { peer: state.peer.clone(), userdata: userdata.to_owned() };
                self.append(now, session, id, Step::Rejoining, (name, entry), emit);
            }
            (None, _) if self.channels_of(state) >= most => {
                reject(session, ErrorCode::Limit, channel, id.as_ref(), emit);
            }
            (None, userdata) => {
                let step = Step::Authorizing(userdata.map(Payload::to_owned));
                let deadline = now + self.limits.authorize_timeout;
                let token = self.await_decision(session, name.clone(), id, step, Some(deadline));
                emit(Output::Authorize { token, channel: &name, userdata });
            }
        }
    }

    /// How many channels the peer is in or waits for.
    fn channels_of(&self, state: &Session) -> usize {
        let is_seated =
            |channel| self.room_keys.get(channel).is_some_and(|room| state.seat_in(*room).is_some());
        let awaited = state.undecided.iter().filter(|undecided| !is_seated(&undecided.channel));
        state.seats.len() + awaited.count()
    }

    pub(super) fn authorized(&mut self, now: Instant, token: Token, grant: JoinGrant, emit: &mut Emit<'_>) {
        let Some(mut undecided) = self.take_authorizing(token) else { return };
        let channel_is_new = !self.room_keys.contains_key(&undecided.channel);
        if channel_is_new && self.rooms.len() >= self.limits.channels {
            reject(token.session, ErrorCode::Limit, undecided.channel.as_str(), undecided.id.as_ref(), emit);
            return self.go_on(now, token.session, undecided, emit);
        }
        let JoinGrant { mut settings, hosting } = grant;
        let most = u32::try_from(self.limits.members_per_channel).unwrap_or(u32::MAX);
        settings.capacity = settings.capacity.min(most);
        let deadline = now + self.limits.commit_timeout;
        let channel = undecided.channel.clone();
        let Some(state) = self.session(token.session) else { return };
        let Step::Authorizing(userdata) = mem::replace(&mut undecided.step, Step::Joining) else { return };
        let (peer, identity) = (state.peer.clone(), state.identity.clone());
        self.await_again(token.session, Step::Joining, deadline, undecided);
        let entry = Entry::Join { peer, identity, userdata, settings, hosting };
        emit(Output::Append { token, channel, entry });
    }

    pub(super) fn denied(
        &mut self,
        now: Instant,
        token: Token,
        code: ErrorCode,
        message: &str,
        emit: &mut Emit<'_>,
    ) {
        let Some(undecided) = self.take_authorizing(token) else { return };
        let (channel, id) = (undecided.channel.as_str(), undecided.id.as_ref());
        reject_because(token.session, code, message, channel, id, emit);
        self.go_on(now, token.session, undecided, emit);
    }

    fn part(
        &mut self,
        now: Instant,
        session: SessionId,
        channel: &str,
        id: Option<RequestId>,
        emit: &mut Emit<'_>,
    ) {
        match self.seated(session, channel) {
            Some((name, peer)) => {
                let entry = Entry::Part { peer, reason: EndReason::Parted };
                self.append(now, session, id, Step::Parting, (name, entry), emit);
            }
            None => {
                let message = ServerMessage::Parted { id: id.as_ref(), channel: Cow::Borrowed(channel) };
                emit(Output::Send { to: Recipients::one(&session), message });
            }
        }
    }

    fn set_userdata(
        &mut self,
        now: Instant,
        session: SessionId,
        channel: &str,
        id: Option<RequestId>,
        userdata: Payload<'_>,
        emit: &mut Emit<'_>,
    ) {
        match self.seated(session, channel) {
            Some((name, peer)) => {
                let entry = Entry::Update { peer, userdata: userdata.to_owned() };
                self.append(now, session, id, Step::Updating, (name, entry), emit);
            }
            None => reject(session, ErrorCode::NotJoined, channel, id.as_ref(), emit),
        }
    }

    fn send_to_channel(
        &self,
        session: SessionId,
        channel: &str,
        id: Option<RequestId>,
        data: Payload<'_>,
        emit: &mut Emit<'_>,
    ) {
        let room = self.room_keys.get(channel).copied();
        let seat = room.and_then(|room| self.session(session)?.seat_in(room));
        let (Some(seat), Some(peer)) = (seat, self.peer_of(session)) else {
            return reject(session, ErrorCode::NotJoined, channel, id.as_ref(), emit);
        };
        let to = self.rooms[seat.room].listeners(peer, Some(session));
        if !to.is_empty() {
            let message = ServerMessage::Message {
                peer_id: Some(Cow::Borrowed(peer.as_str())),
                channel: Some(Cow::Borrowed(channel)),
                data,
            };
            emit(Output::Send { to, message });
        }
        confirm(session, id.as_ref(), emit);
    }

    pub(super) fn expel(&mut self, now: Instant, session: SessionId, channel: &str, emit: &mut Emit<'_>) {
        if self.session(session).is_some_and(Session::is_live) {
            self.request(now, session, channel, None, Request::Expel, emit);
        }
    }

    pub(super) fn publish(&self, to: Target<'_>, data: Payload<'_>, emit: &mut Emit<'_>) {
        let (recipients, channel) = match &to {
            Target::Session(session) if self.session(*session).is_some_and(Session::is_live) => {
                (Recipients::one(session), None)
            }
            Target::Session(_) => return,
            Target::Channel(name) => match self.room_keys.get(*name) {
                Some(room) => (self.rooms[*room].everybody(), Some(Cow::Borrowed(*name))),
                None => return,
            },
        };
        if !recipients.is_empty() {
            emit(Output::Send {
                to: recipients,
                message: ServerMessage::Message { peer_id: None, channel, data },
            });
        }
    }

    fn withdraw_seat(&mut self, session: SessionId, channel: &str, emit: &mut Emit<'_>) {
        if let Some((name, _)) = self.seated(session, channel) {
            self.withdraw(session, name, EndReason::Kicked, emit);
        }
    }

    /// The stored name of the channel and the id of the peer, if it has a seat there.
    fn seated(&self, session: SessionId, channel: &str) -> Option<(ChannelName, crate::PeerId)> {
        let room = *self.room_keys.get(channel)?;
        let state = self.session(session)?;
        state.seat_in(room)?;
        Some((self.rooms[room].name.clone(), state.peer.clone()))
    }
}
