//! What peers ask for in channels, up to the point where the log has to decide.

use std::{borrow::Cow, mem, time::Instant};

use super::returning::Claim;
use super::{
    Emit, Hub, confirm, reject, reject_because,
    session::{Session, Step, Subject, Undecided},
};
use crate::{
    ChannelName, Context, EndReason, Entry, ErrorCode, Grant, JoinGrant, Output, OwnedPayload, Payload,
    Place, Recipients, RequestId, ServerMessage, SessionId, Target, Token,
};

/// Something that is asked for in one channel or pool, with its payload borrowed or, while it waits, owned.
#[derive(Debug)]
pub(super) enum Request<P> {
    Join {
        userdata: Option<P>,
        seat: Option<String>,
    },
    Part,
    SetUserdata(P),
    Send {
        data: P,
        echo: bool,
    },
    Match(Option<P>),
    Cancel,
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
            Self::Join { userdata, seat } => {
                Request::Join { userdata: userdata.map(Payload::to_owned), seat }
            }
            Self::Part => Request::Part,
            Self::SetUserdata(userdata) => Request::SetUserdata(userdata.to_owned()),
            Self::Send { data, echo } => Request::Send { data: data.to_owned(), echo },
            Self::Match(userdata) => Request::Match(userdata.map(Payload::to_owned)),
            Self::Cancel => Request::Cancel,
            Self::Expel => Request::Expel,
        }
    }
}

impl Request<OwnedPayload> {
    pub(super) fn borrowed(&self) -> Request<Payload<'_>> {
        match self {
            Self::Join { userdata, seat } => {
                let userdata = userdata.as_ref().map(OwnedPayload::as_payload);
                Request::Join { userdata, seat: seat.clone() }
            }
            Self::Part => Request::Part,
            Self::SetUserdata(userdata) => Request::SetUserdata(userdata.as_payload()),
            Self::Send { data, echo } => Request::Send { data: data.as_payload(), echo: *echo },
            Self::Match(userdata) => Request::Match(userdata.as_ref().map(OwnedPayload::as_payload)),
            Self::Cancel => Request::Cancel,
            Self::Expel => Request::Expel,
        }
    }
}

impl Hub {
    /// Carries out a request, or lets it wait for the decision on an earlier one about the same channel or pool.
    pub(super) fn request(
        &mut self,
        now: Instant,
        session: SessionId,
        subject: Subject<'_>,
        id: Option<RequestId>,
        request: Request<Payload<'_>>,
        emit: &mut Emit<'_>,
    ) {
        let most = self.limits.waiting_messages;
        let Some(state) = self.session_mut(session) else { return };
        let waiting = state.waiting;
        match state.undecided_in(subject) {
            Some(undecided) if !request.is_counted() => {
                if !matches!(undecided.waiting.back(), Some((_, Request::Expel))) {
                    undecided.waiting.push_back((None, request.into_owned()));
                }
            }
            Some(Undecided { step: Step::Abandoned(_), .. }) => {
                reject(session, ErrorCode::Unavailable, subject, id.as_ref(), emit);
            }
            Some(_) if waiting >= most => reject(session, ErrorCode::Limit, subject, id.as_ref(), emit),
            Some(undecided) => {
                undecided.waiting.push_back((id, request.into_owned()));
                state.waiting += 1;
                self.hold_or_release(session, emit);
            }
            None => self.perform(now, session, subject, id, request, emit),
        }
    }

    fn perform(
        &mut self,
        now: Instant,
        session: SessionId,
        subject: Subject<'_>,
        id: Option<RequestId>,
        request: Request<Payload<'_>>,
        emit: &mut Emit<'_>,
    ) {
        let (Subject::Channel(name) | Subject::Pool(name)) = subject;
        match request {
            Request::Join { userdata, seat } => {
                self.join(now, session, name, id, (userdata, seat.as_deref()), emit);
            }
            Request::Part => self.part(now, session, name, id, emit),
            Request::SetUserdata(userdata) => self.set_userdata(now, session, name, id, userdata, emit),
            Request::Send { data, echo } => self.send_to_channel(session, name, id, (data, echo), emit),
            Request::Match(userdata) => self.search(now, session, name, id, userdata, emit),
            Request::Cancel => self.cancel_search(now, session, name, id, emit),
            Request::Expel => self.withdraw_seat(session, name, emit),
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
        (userdata, had_seat): (Option<Payload<'_>>, Option<&str>),
        emit: &mut Emit<'_>,
    ) {
        let most = self.limits.channels_per_peer;
        let Ok(name) = ChannelName::new(channel) else {
            return reject(session, ErrorCode::BadMessage, Subject::Channel(channel), id.as_ref(), emit);
        };
        let Some(state) = self.session(session) else { return };
        let seat = self.room_keys.get(&name).and_then(|room| state.seat_in(*room));
        match (seat, userdata) {
            (Some(seat), None) => self.answer_join(session, seat.room, id.as_ref(), emit),
            (Some(_), Some(userdata)) => {
                let entry = Entry::Update { peer: state.peer.clone(), userdata: userdata.to_owned() };
                self.append(now, session, id, Step::Rejoining, (Place::Channel(name), entry), emit);
            }
            (None, _)
                if !self.may_use(state, name.namespace()) || (name.is_of_a_match() && had_seat.is_none()) =>
            {
                reject(session, ErrorCode::Unauthorized, Subject::Channel(channel), id.as_ref(), emit);
            }
            (None, _) if self.places_of(state) >= most => {
                reject(session, ErrorCode::Limit, Subject::Channel(channel), id.as_ref(), emit);
            }
            (None, userdata) => {
                self.ask_policy(now, session, Place::Channel(name), id, (userdata, had_seat), emit);
            }
        }
    }

    pub(super) fn ask_policy(
        &mut self,
        now: Instant,
        session: SessionId,
        place: Place,
        id: Option<RequestId>,
        (userdata, seat): (Option<Payload<'_>>, Option<&str>),
        emit: &mut Emit<'_>,
    ) {
        let step = Step::Authorizing(userdata.map(Payload::to_owned));
        let deadline = now + self.limits.authorize_timeout;
        let token = self.await_decision(session, place.clone(), id, step, Some(deadline));
        emit(Output::Authorize { token, place: &place, userdata, seat });
    }

    /// How many channels the peer is in or waits for, pools included, without those that it is leaving.
    pub(super) fn places_of(&self, state: &Session) -> usize {
        let is_counted = |place: &Place| match place {
            Place::Channel(name) => {
                self.room_keys.get(name).is_some_and(|room| state.seat_in(*room).is_some())
            }
            Place::Pool(name) => state.search_in(name.as_str()).is_some(),
        };
        let is_leaving = |undecided: &&Undecided| matches!(undecided.step, Step::Parting | Step::Cancelling);
        let leaving = state.undecided.iter().filter(is_leaving).count();
        let awaited = state.undecided.iter().filter(|undecided| !is_counted(&undecided.place)).count();
        state.seats.len() + state.searches.len() + awaited - leaving
    }

    pub(super) fn authorized(&mut self, now: Instant, token: Token, grant: Grant, emit: &mut Emit<'_>) {
        let Some(undecided) = self.take_authorizing(token) else { return };
        match (undecided.place.clone(), grant) {
            (Place::Channel(name), Grant::Join(grant)) => {
                self.join_in_turn(now, undecided, name, Claim { grant, standing: None }, emit);
            }
            (Place::Channel(name), Grant::Return { grant, standing }) => {
                self.join_in_turn(now, undecided, name, Claim { grant, standing: Some(standing) }, emit);
            }
            (Place::Pool(name), Grant::Match { grant, room }) => {
                self.may_search(now, undecided, name, grant, room, emit);
            }
            (place @ Place::Channel(_), Grant::Match { .. })
            | (place @ Place::Pool(_), Grant::Join(_) | Grant::Return { .. }) => {
                debug_assert!(false, "a grant of another kind for {place}");
                reject(token.session, ErrorCode::Unavailable, &place, undecided.id.as_ref(), emit);
                self.go_on(now, token.session, undecided, emit);
            }
        }
    }

    pub(super) fn may_join(
        &mut self,
        now: Instant,
        mut undecided: Undecided,
        channel: ChannelName,
        grant: JoinGrant,
        emit: &mut Emit<'_>,
    ) {
        let token = undecided.token;
        let channel_is_new = !self.room_keys.contains_key(&channel);
        if channel_is_new && self.rooms.len() >= self.limits.channels {
            reject(token.session, ErrorCode::Limit, &undecided.place, undecided.id.as_ref(), emit);
            return self.go_on(now, token.session, undecided, emit);
        }
        let JoinGrant { mut settings, hosting } = grant;
        settings.capacity = settings.capacity.min(self.limits.members_of(settings.topology));
        let deadline = now + self.limits.commit_timeout;
        let Some(state) = self.session(token.session) else { return };
        let (Step::Authorizing(userdata) | Step::Yielding(userdata, _)) =
            mem::replace(&mut undecided.step, Step::Joining)
        else {
            return;
        };
        let (peer, identity) = (state.peer.clone(), state.identity.clone());
        self.await_again(token.session, Step::Joining, deadline, undecided);
        let entry = Entry::Join { peer, identity, userdata, settings, hosting };
        emit(Output::Append { token, place: Place::Channel(channel), entry });
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
        let (subject, id) = (Subject::from(&undecided.place), undecided.id.as_ref());
        reject_because(token.session, code, message, subject, id, emit);
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
                self.append(now, session, id, Step::Parting, (Place::Channel(name), entry), emit);
            }
            None => {
                let message = ServerMessage::Parted { id: id.as_ref(), channel: Cow::Borrowed(channel) };
                emit(Output::send(Recipients::one(&session), message));
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
                self.append(now, session, id, Step::Updating, (Place::Channel(name), entry), emit);
            }
            None => reject(session, ErrorCode::NotJoined, Subject::Channel(channel), id.as_ref(), emit),
        }
    }

    fn send_to_channel(
        &self,
        session: SessionId,
        channel: &str,
        id: Option<RequestId>,
        (data, echo): (Payload<'_>, bool),
        emit: &mut Emit<'_>,
    ) {
        let room = self.room_keys.get(channel).copied();
        let seat = room.and_then(|room| self.session(session)?.seat_in(room));
        let (Some(seat), Some(peer)) = (seat, self.peer_of(session)) else {
            return reject(session, ErrorCode::NotJoined, Subject::Channel(channel), id.as_ref(), emit);
        };
        let room = &self.rooms[seat.room];
        let to = room.listeners(peer, (!echo).then_some(session));
        if !to.is_empty() {
            let message = ServerMessage::Message {
                peer_id: Some(Cow::Borrowed(peer.as_str())),
                channel: Some(Cow::Borrowed(channel)),
                data,
            };
            emit(Output::Send { to, message, context: Context::of(&room.channel) });
        }
        confirm(session, id.as_ref(), emit);
    }

    pub(super) fn expel(&mut self, now: Instant, session: SessionId, channel: &str, emit: &mut Emit<'_>) {
        if self.session(session).is_some_and(Session::is_live) {
            self.request(now, session, Subject::Channel(channel), None, Request::Expel, emit);
        }
    }

    pub(super) fn publish(&self, to: Target<'_>, data: Payload<'_>, emit: &mut Emit<'_>) {
        let (recipients, channel, context) = match &to {
            Target::Session(session) if self.session(*session).is_some_and(Session::is_live) => {
                (Recipients::one(session), None, Context::default())
            }
            Target::Session(_) => return,
            Target::Channel(name) => match self.room_keys.get(*name) {
                Some(room) => {
                    let room = &self.rooms[*room];
                    (room.everybody(), Some(Cow::Borrowed(*name)), Context::of(&room.channel))
                }
                None => return,
            },
        };
        if !recipients.is_empty() {
            emit(Output::Send {
                to: recipients,
                message: ServerMessage::Message { peer_id: None, channel, data },
                context,
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
