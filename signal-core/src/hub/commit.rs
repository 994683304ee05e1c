//! The log decides: the only place where a channel changes.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use super::{
    Emit, Hub, Timer, confirm, reject,
    request::Request,
    room::Room,
    session::{Phase, Seat, Step, Undecided},
};
use crate::{
    ChannelName, EndReason, Entry, ErrorCode, Output, OwnedPayload, Position, RequestId, SessionId, Token,
    channel::{Change, Departure},
};

/// After which time a seat that the log would not take back is offered to it again.
const WITHDRAW_AGAIN: Duration = Duration::from_secs(1);

impl Hub {
    /// The log has ordered an entry. Those who hear of it first are the other members, then the peer itself.
    pub(super) fn committed(
        &mut self,
        now: Instant,
        channel: ChannelName,
        position: Position,
        entry: Entry,
        emit: &mut Emit<'_>,
    ) {
        let session = self.peers.get(entry.peer()).copied();
        let key = match self.room_keys.get(&channel) {
            Some(key) => *key,
            None => self.open_room(channel),
        };
        let room = &mut self.rooms[key];
        let mut departure = None;
        match room.channel.apply(position, entry) {
            Change::Joined => room.announce_newcomer(self.epoch, emit),
            Change::Updated(index) => room.announce_update(&room.channel.members()[index], session, emit),
            Change::Parted(gone) => {
                session.into_iter().for_each(|session| room.leave_audience(session));
                room.announce_part(self.epoch, &gone, &self.peers, emit);
                departure = Some(gone);
            }
            Change::Full | Change::Nothing => {}
        }
        let undecided = session.and_then(|session| self.decided(session, key, departure, emit));
        if self.rooms[key].channel.members().is_empty() {
            let room = self.rooms.remove(key);
            self.room_keys.remove(&room.name);
        }
        if let (Some(session), Some(undecided)) = (session, undecided) {
            self.go_on(now, session, undecided, emit);
        }
    }

    /// The log has decided on what `session` wanted of a channel. The outcome is whether it is a member now, not
    /// which entry was seen: a snapshot may have swallowed the entry.
    fn decided(
        &mut self,
        session: SessionId,
        key: usize,
        departure: Option<Departure>,
        emit: &mut Emit<'_>,
    ) -> Option<Undecided> {
        let state = self.sessions.get_mut(session.0 as usize)?.as_deref_mut()?;
        let room = &mut self.rooms[key];
        let name = room.name.clone();
        let undecided = state.take_undecided(|undecided| undecided.channel == name);
        let step = undecided.as_ref().map(|undecided| &undecided.step);
        let id = undecided.as_ref().and_then(|undecided| undecided.id.as_ref());
        let own = room.channel.member(&state.peer);
        let seat = state.seats.iter().position(|seat| seat.room == key);
        match (own, seat, departure) {
            (Some(own), None, _) if state.is_live() && matches!(step, Some(Step::Joining)) => {
                state.seats.push(Seat { room: key, joined_at: own.joined_at });
                emit(Output::Joined { session, channel: &name });
                room.answer_join(self.epoch, session, &state.peer, id, emit);
                room.enter_audience(session, &self.peers);
            }
            // Nobody waits for this seat any more.
            (Some(_), None, _) => {
                let reason = if let Phase::Ending(reason) = state.phase { reason } else { EndReason::Parted };
                self.withdraw(session, name, reason, emit);
            }
            (Some(_), Some(_), _) => match step {
                Some(Step::Rejoining) => room.answer_join(self.epoch, session, &state.peer, id, emit),
                Some(Step::Updating) => confirm(session, id, emit),
                _ => {}
            },
            (None, Some(seat), Some(departure)) => {
                state.seats.remove(seat);
                emit(Output::Parted { session, channel: &name, reason: departure.reason });
                let asked = matches!(step, Some(Step::Parting));
                room.answer_part(session, &departure, id.filter(|_| asked), emit);
                // Another machine was faster: what the peer asked for as a member has come to nothing.
                if let Some(Step::Rejoining | Step::Updating) = step {
                    reject(session, ErrorCode::Unavailable, name.as_str(), id, emit);
                }
            }
            (None, None, _) if state.is_live() && matches!(step, Some(Step::Joining)) => {
                reject(session, ErrorCode::ChannelFull, name.as_str(), id, emit);
            }
            (None, Some(_), None) => debug_assert!(false, "a seat is lost by a part alone"),
            (None, None, _) => {}
        }
        if let Some(undecided) = &undecided {
            self.forget_deadline(undecided);
        }
        undecided
    }

    pub(super) fn refused(&mut self, now: Instant, token: Token, emit: &mut Emit<'_>) {
        let session = token.session;
        let Some(state) = self.session_mut(session) else { return };
        let (phase, peer) = (state.phase, state.peer.clone());
        let Some(undecided) = state.take_undecided(|undecided| undecided.token == token) else { return };
        self.forget_deadline(&undecided);
        let channel = undecided.channel.as_str();
        let has_seat = self.channel(channel).is_some_and(|channel| channel.member(&peer).is_some());
        match (&undecided.step, &phase) {
            // It must not keep the seat.
            (Step::Withdrawing(reason), _) | (_, Phase::Ending(reason)) if has_seat => {
                let (reason, deadline) = (*reason, now + WITHDRAW_AGAIN);
                self.await_again(session, Step::Withdrawing(reason), deadline, undecided);
                return;
            }
            (Step::Withdrawing(_) | Step::Abandoned, _) | (_, Phase::Ending(_)) => {}
            _ => reject(session, ErrorCode::Unavailable, channel, undecided.id.as_ref(), emit),
        }
        self.go_on(now, session, undecided, emit);
    }

    /// The deadline of a decision has passed.
    pub(super) fn overdue(&mut self, now: Instant, token: Token, emit: &mut Emit<'_>) {
        let session = token.session;
        let Some(state) = self.session_mut(session) else { return };
        let (live, peer) = (state.is_live(), state.peer.clone());
        let Some(undecided) = state.undecided.iter_mut().find(|undecided| undecided.token == token) else {
            return;
        };
        undecided.deadline = None;
        let channel = undecided.channel.clone();
        if let Step::Withdrawing(reason) = undecided.step {
            return emit(Output::Append { token, channel, entry: Entry::Part { peer, reason } });
        }
        if !live {
            return;
        }
        let (id, waiting) = (undecided.id.take(), mem::take(&mut undecided.waiting));
        let entry_is_on_its_way = !matches!(undecided.step, Step::Authorizing(_));
        undecided.step = Step::Abandoned;
        if !entry_is_on_its_way {
            state.take_undecided(|undecided| undecided.token == token);
        }
        reject(session, ErrorCode::Unavailable, channel.as_str(), id.as_ref(), emit);
        self.carry_out(now, session, &channel, waiting, emit);
    }

    /// What waited for a decision has its turn.
    pub(super) fn go_on(
        &mut self,
        now: Instant,
        session: SessionId,
        decided: Undecided,
        emit: &mut Emit<'_>,
    ) {
        self.carry_out(now, session, &decided.channel, decided.waiting, emit);
        self.bury(session, emit);
    }

    fn carry_out(
        &mut self,
        now: Instant,
        session: SessionId,
        channel: &ChannelName,
        waiting: VecDeque<(Option<RequestId>, Request<OwnedPayload>)>,
        emit: &mut Emit<'_>,
    ) {
        for (id, request) in waiting {
            if let Some(state) = self.session_mut(session).filter(|_| request.is_counted()) {
                state.waiting -= 1;
            }
            self.request(now, session, channel.as_str(), id, request.borrowed(), emit);
        }
        self.hold_or_release(session, emit);
    }

    /// Puts `entry` to the log on behalf of a session, and answers its request when the log has decided.
    pub(super) fn append(
        &mut self,
        now: Instant,
        session: SessionId,
        id: Option<RequestId>,
        step: Step,
        (channel, entry): (ChannelName, Entry),
        emit: &mut Emit<'_>,
    ) {
        let deadline = now + self.limits.commit_timeout;
        let token = self.await_decision(session, channel.clone(), id, step, Some(deadline));
        emit(Output::Append { token, channel, entry });
    }

    /// Gives up a seat that the peer has not asked to give up.
    pub(super) fn withdraw(
        &mut self,
        session: SessionId,
        channel: ChannelName,
        reason: EndReason,
        emit: &mut Emit<'_>,
    ) {
        let Some(peer) = self.peer_of(session).cloned() else { return };
        let token = self.await_decision(session, channel.clone(), None, Step::Withdrawing(reason), None);
        emit(Output::Append { token, channel, entry: Entry::Part { peer, reason } });
    }

    pub(super) fn await_decision(
        &mut self,
        session: SessionId,
        channel: ChannelName,
        id: Option<RequestId>,
        step: Step,
        deadline: Option<Instant>,
    ) -> Token {
        self.serial += 1;
        let token = Token { session, serial: self.serial };
        if let Some(deadline) = deadline {
            self.timers.insert((deadline, Timer::Undecided(token)));
        }
        if let Some(state) = self.session_mut(session) {
            state.undecided.push(Undecided { channel, token, step, id, deadline, waiting: VecDeque::new() });
        }
        token
    }

    /// Puts back what was taken, with a new step; what waits for it goes on waiting.
    pub(super) fn await_again(
        &mut self,
        session: SessionId,
        step: Step,
        deadline: Instant,
        undecided: Undecided,
    ) {
        self.timers.insert((deadline, Timer::Undecided(undecided.token)));
        if let Some(state) = self.session_mut(session) {
            state.undecided.push(Undecided { step, deadline: Some(deadline), ..undecided });
        }
    }

    pub(super) fn take_authorizing(&mut self, token: Token) -> Option<Undecided> {
        let state = self.session_mut(token.session)?;
        let undecided = state.take_undecided(|undecided| {
            undecided.token == token && matches!(undecided.step, Step::Authorizing(_))
        })?;
        self.forget_deadline(&undecided);
        Some(undecided)
    }

    pub(super) fn forget_deadline(&mut self, undecided: &Undecided) {
        if let Some(deadline) = undecided.deadline {
            self.timers.remove(&(deadline, Timer::Undecided(undecided.token)));
        }
    }

    pub(super) fn answer_join(
        &self,
        session: SessionId,
        key: usize,
        id: Option<&RequestId>,
        emit: &mut Emit<'_>,
    ) {
        if let Some(own) = self.peer_of(session) {
            self.rooms[key].answer_join(self.epoch, session, own, id, emit);
        }
    }

    fn open_room(&mut self, name: ChannelName) -> usize {
        let key = self.rooms.insert(Room::new(name.clone()));
        self.room_keys.insert(name, key);
        key
    }
}
