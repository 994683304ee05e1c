//! Questions to the policy and the log, and what waits for the answers.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use super::{
    Emit, Hub, Timer, reject,
    request::Request,
    session::{Phase, Step, Subject, Undecided},
};
use crate::{
    ChannelName, EndReason, Entry, ErrorCode, MatchEnd, Output, OwnedPayload, PeerId, Place, RequestId,
    SessionId, Token,
};

/// After which time a seat or ticket that the log would not take back is offered to it again.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

impl Hub {
    pub(super) fn refused(&mut self, now: Instant, token: Token, emit: &mut Emit<'_>) {
        let session = token.session;
        let Some(state) = self.session_mut(session) else { return };
        let (phase, peer) = (state.phase, state.peer.clone());
        let Some(undecided) = state.take_undecided(|undecided| undecided.token == token) else { return };
        self.forget_deadline(&undecided);
        if let Some(step) = self.way_back(&undecided, &peer, phase) {
            return self.await_again(session, step, now + AGAIN, undecided);
        }
        match (&undecided.step, &phase) {
            (_, Phase::Ending(_)) => {}
            (Step::Withdrawing(_) | Step::EndingSearch(_), _) => {}
            (Step::Widening | Step::Abandoned(_), _) => self.widen_again(now, session, &undecided.place),
            _ => reject(session, ErrorCode::Unavailable, &undecided.place, undecided.id.as_ref(), emit),
        }
        self.go_on(now, session, undecided, emit);
    }

    /// How a seat or ticket is given back that nobody wants any more, if there is one.
    fn way_back(&self, undecided: &Undecided, peer: &PeerId, phase: Phase) -> Option<Step> {
        match &undecided.place {
            Place::Channel(name) => {
                self.channel(name.as_str())?.member(peer)?;
                match (&undecided.step, phase) {
                    (Step::Withdrawing(reason), _) => Some(Step::Withdrawing(*reason)),
                    (_, Phase::Ending(reason)) => Some(Step::Withdrawing(reason)),
                    _ => None,
                }
            }
            Place::Pool(name) => {
                self.pool(name.as_str())?.ticket(peer)?;
                match (&undecided.step, phase) {
                    (Step::EndingSearch(reason), _) => Some(Step::EndingSearch(*reason)),
                    // Nobody is told.
                    (_, Phase::Ending(_)) => Some(Step::EndingSearch(MatchEnd::Detached)),
                    _ => None,
                }
            }
        }
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
        let place = undecided.place.clone();
        if let Step::Withdrawing(reason) = undecided.step {
            return emit(Output::Append { token, place, entry: Entry::Part { peer, reason } });
        }
        if let Step::EndingSearch(_) = undecided.step {
            return emit(Output::Append { token, place, entry: Entry::Cancel { peer } });
        }
        if !live {
            return;
        }
        let (id, waiting) = (undecided.id.take(), mem::take(&mut undecided.waiting));
        let abandoned = undecided.step.abandoned();
        let step = mem::replace(&mut undecided.step, abandoned);
        if let Step::Authorizing(_) = step {
            // No entry is on its way.
            state.take_undecided(|undecided| undecided.token == token);
        }
        // The peer knows nothing of this one.
        if !matches!(step, Step::Widening) {
            reject(session, ErrorCode::Unavailable, &place, id.as_ref(), emit);
        }
        self.carry_out(now, session, &place, waiting, emit);
    }

    /// What waited for a decision has its turn.
    pub(super) fn go_on(
        &mut self,
        now: Instant,
        session: SessionId,
        decided: Undecided,
        emit: &mut Emit<'_>,
    ) {
        self.carry_out(now, session, &decided.place, decided.waiting, emit);
        if let Place::Pool(name) = &decided.place {
            self.end_search_if_detached(session, name, emit);
        }
        if let Some(state) = self.session_mut(session).filter(|state| state.undecided.is_empty()) {
            // It may stay like this for hours.
            state.undecided = Vec::new();
        }
        self.bury(session, emit);
    }

    fn carry_out(
        &mut self,
        now: Instant,
        session: SessionId,
        place: &Place,
        waiting: VecDeque<(Option<RequestId>, Request<OwnedPayload>)>,
        emit: &mut Emit<'_>,
    ) {
        for (id, request) in waiting {
            if let Some(state) = self.session_mut(session).filter(|_| request.is_counted()) {
                state.waiting -= 1;
            }
            self.request(now, session, Subject::from(place), id, request.borrowed(), emit);
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
        (place, entry): (Place, Entry),
        emit: &mut Emit<'_>,
    ) {
        let deadline = now + self.limits.commit_timeout;
        let token = self.await_decision(session, place.clone(), id, step, Some(deadline));
        emit(Output::Append { token, place, entry });
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
        let place = Place::Channel(channel);
        let token = self.await_decision(session, place.clone(), None, Step::Withdrawing(reason), None);
        emit(Output::Append { token, place, entry: Entry::Part { peer, reason } });
    }

    pub(super) fn await_decision(
        &mut self,
        session: SessionId,
        place: Place,
        id: Option<RequestId>,
        step: Step,
        deadline: Option<Instant>,
    ) -> Token {
        let token = self.next_token(session);
        if let Some(deadline) = deadline {
            self.timers.insert((deadline, Timer::Undecided(token)));
        }
        if let Some(state) = self.session_mut(session) {
            state.undecided.push(Undecided { place, token, step, id, deadline, waiting: VecDeque::new() });
        }
        token
    }

    pub(super) fn next_token(&mut self, session: SessionId) -> Token {
        self.serial += 1;
        Token { session, serial: self.serial }
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
}
