//! The log has decided on a channel: the only place where one changes, but for those that a match makes.

use std::time::Instant;

use super::{
    Emit, Hub, confirm, reject,
    room::Room,
    session::{Phase, Seat, Step, Subject, Undecided},
};
use crate::{
    ChannelName, EndReason, Entry, ErrorCode, Output, Position, RequestId, SessionId, Standing,
    channel::{Change, Departure},
};

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
        let undecided = session.and_then(|session| {
            self.session_mut(session)?.take_decided(Subject::Channel(channel.as_str()), &entry)
        });
        let key = match self.room_keys.get(&channel) {
            Some(key) => *key,
            None => self.open_room(channel),
        };
        let room = &mut self.rooms[key];
        let (mut departure, mut has_new_host) = (None, false);
        match room.channel.apply(position, entry) {
            Change::Joined => {
                room.announce_newcomer(self.epoch, emit);
                has_new_host = room.newcomer_is_host();
            }
            Change::Updated(index) => room.announce_update(&room.channel.members()[index], session, emit),
            Change::Parted(gone) => {
                session.into_iter().for_each(|session| room.leave_audience(session));
                room.announce_part(self.epoch, &gone, &self.peers, emit);
                departure = Some(gone);
            }
            Change::Full | Change::Nothing => {}
        }
        if let Some(session) = session {
            self.decided(session, key, departure, undecided.as_ref(), emit);
        }
        if has_new_host {
            self.host_is_there(now, key, emit);
        }
        if self.rooms[key].channel.members().is_empty() {
            let room = self.rooms.remove(key);
            self.room_keys.remove(&room.name);
        }
        if let (Some(session), Some(undecided)) = (session, undecided) {
            self.forget_deadline(&undecided);
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
        undecided: Option<&Undecided>,
        emit: &mut Emit<'_>,
    ) {
        let Some(Some(state)) = self.sessions.get_mut(session.0 as usize) else { return };
        let room = &mut self.rooms[key];
        let name = room.name.clone();
        let subject = Subject::Channel(name.as_str());
        let step = undecided.map(|undecided| &undecided.step);
        let id = undecided.and_then(|undecided| undecided.id.as_ref());
        let own = room.channel.member(&state.peer);
        let seat = state.seats.iter().position(|seat| seat.room == key);
        match (own, seat, departure) {
            (Some(own), None, _) if state.is_live() && matches!(step, Some(Step::Joining)) => {
                state.take_seat(Seat { room: key, joined_at: own.joined_at });
                let is_host = room.channel.host() == Some(&own.peer);
                let standing = Standing { joined_at: own.joined_at, is_host };
                emit(Output::Joined { session, channel: &name, settings: room.channel.settings(), standing });
                room.answer_join(self.epoch, session, &state.peer, id, emit);
                room.enter_audience(session, &self.peers);
            }
            // The log will say what becomes of this seat.
            (Some(_), None, _) if state.awaits_log(subject) => {}
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
                    reject(session, ErrorCode::Unavailable, Subject::Channel(name.as_str()), id, emit);
                }
            }
            (None, None, _) if state.is_live() && matches!(step, Some(Step::Joining)) => {
                reject(session, ErrorCode::ChannelFull, Subject::Channel(name.as_str()), id, emit);
            }
            (None, Some(_), None) => debug_assert!(false, "a seat is lost by a part alone"),
            (None, None, _) => {}
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

    pub(super) fn open_room(&mut self, name: ChannelName) -> usize {
        let key = self.rooms.insert(Room::new(name.clone()));
        self.room_keys.insert(name, key);
        key
    }
}
