//! Sessions come, lose their socket, come back, and end.

use std::{mem, time::Instant};

use super::{
    Emit, Hub, Timer,
    session::{Phase, Session, Subject},
};
use crate::{CloseReason, EndReason, ErrorCode, Output, Recipients, RequestId, ServerMessage, SessionId};

impl Hub {
    pub(super) fn connect(&mut self, session: SessionId, newcomer: Session) {
        let index = session.0 as usize;
        if self.session(session).is_some() || self.peers.contains_key(&newcomer.peer) {
            debug_assert!(false, "the driver hands out free session numbers and fresh peer ids");
            return;
        }
        if self.sessions.len() <= index {
            self.sessions.resize_with(index + 1, || None);
        }
        self.peers.insert(newcomer.peer.clone(), session);
        self.sessions[index] = Some(Box::new(newcomer));
        self.counts.attached += 1;
    }

    pub(super) fn malformed(
        &mut self,
        now: Instant,
        session: SessionId,
        code: ErrorCode,
        id: Option<RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let (window, most) = (self.limits.malformed_window, self.limits.malformed_frames);
        let Some(state) = self.session_mut(session).filter(|session| session.is_live()) else { return };
        state.malformed.retain(|then| now.saturating_duration_since(*then) < window);
        state.malformed.push(now);
        let too_many = state.malformed.len() >= most as usize;
        let mut message = ServerMessage::from(code);
        if let ServerMessage::Error { id: slot, .. } = &mut message {
            *slot = id.as_ref();
        }
        emit(Output::send(Recipients::one(&session), message));
        if too_many {
            emit(Output::Close { session, reason: CloseReason::Protocol });
            self.end(session, EndReason::Closed, emit);
        }
    }

    pub(super) fn bye(&mut self, session: SessionId, emit: &mut Emit<'_>) {
        emit(Output::Close { session, reason: CloseReason::Bye });
        self.end(session, EndReason::Bye, emit);
    }

    pub(super) fn detach(&mut self, now: Instant, session: SessionId, emit: &mut Emit<'_>) {
        let grace = self.limits.grace;
        if grace.is_zero() {
            return self.end(session, EndReason::Timeout, emit);
        }
        let Some(state) = self.session_mut(session) else { return };
        if state.phase == Phase::Attached {
            let deadline = now + grace;
            state.phase = Phase::Detached(deadline);
            let pools: Vec<_> = state.searches.iter().map(|search| search.pool.clone()).collect();
            self.timers.insert((deadline, Timer::Grace(session)));
            (self.counts.attached, self.counts.detached) =
                (self.counts.attached - 1, self.counts.detached + 1);
            for pool in pools {
                self.end_search_if_detached(session, &pool, emit);
            }
        }
    }

    pub(super) fn resume(&mut self, session: SessionId) {
        let Some(state) = self.session_mut(session) else { return };
        if let Phase::Detached(deadline) = state.phase {
            state.phase = Phase::Attached;
            self.timers.remove(&(deadline, Timer::Grace(session)));
            (self.counts.attached, self.counts.detached) =
                (self.counts.attached + 1, self.counts.detached - 1);
        }
    }

    /// Ends a session: nothing more is delivered to it, and its seats are given up through the log.
    pub(super) fn end(&mut self, session: SessionId, reason: EndReason, emit: &mut Emit<'_>) {
        self.resume(session);
        let Some(state) = self.session_mut(session).filter(|session| session.is_live()) else { return };
        state.phase = Phase::Ending(reason);
        (state.waiting, state.held) = (0, false);
        let seats = mem::take(&mut state.seats);
        let pools: Vec<_> = state.searches.iter().map(|search| search.pool.clone()).collect();
        let undecided: Vec<_> = state
            .undecided
            .extract_if(.., |undecided| {
                undecided.waiting.clear();
                !undecided.step.is_with_log()
            })
            .collect();
        for undecided in undecided {
            self.forget_deadline(&undecided);
            self.forget_turn(&undecided);
        }
        // `resume` has made it so, if it was not.
        self.counts.attached -= 1;
        for seat in seats {
            let room = &mut self.rooms[seat.room];
            room.leave_audience(session);
            let name = room.name.clone();
            emit(Output::Parted { session, channel: &name, reason });
            // An entry on its way is waited for; what it leaves behind is withdrawn when it is committed.
            let subject = Subject::Channel(name.as_str());
            if self.session_mut(session).is_some_and(|session| session.undecided_in(subject).is_none()) {
                self.withdraw(session, name, reason, emit);
            }
        }
        for pool in pools {
            self.end_search(session, pool, emit);
        }
        self.bury(session, emit);
    }

    /// Removes an ending session once the log has taken back all that it gave.
    pub(super) fn bury(&mut self, session: SessionId, emit: &mut Emit<'_>) {
        let Some(slot) = self.sessions.get_mut(session.0 as usize) else { return };
        let ended = slot.take_if(|session| !session.is_live() && session.undecided.is_empty());
        if let Some(ended) = ended
            && let Phase::Ending(reason) = ended.phase
        {
            self.peers.remove(&ended.peer);
            emit(Output::Ended { session, peer: &ended.peer, reason });
        }
    }

    pub(super) fn timeout(&mut self, now: Instant, emit: &mut Emit<'_>) {
        while let Some((deadline, timer)) = self.timers.first().copied()
            && deadline <= now
        {
            self.timers.pop_first();
            match timer {
                Timer::Grace(session) => self.end(session, EndReason::Timeout, emit),
                Timer::Undecided(token) => self.overdue(now, token, emit),
                Timer::Search(token) => self.search_due(now, token, emit),
                Timer::Returned => self.all_have_returned(now, emit),
            }
        }
    }
}
