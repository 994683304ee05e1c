//! Strangers: who waits in which pool, and who meets whom.

use std::{
    borrow::Cow,
    mem,
    time::{Duration, Instant},
};

use super::{
    Emit, Hub, Timer, confirm,
    decision::AGAIN,
    reject,
    session::{Late, Phase, Search, Seat, Step, Subject, Undecided},
};
use crate::{
    Channel, ChannelName, EndReason, Entry, ErrorCode, MatchEnd, MatchGrant, Output, Payload, PeerId, Place,
    Pool, PoolName, Position, Recipients, RequestId, ServerMessage, SessionId, Standing, Token, Topology,
    pool::Match,
};

/// Longer than this nobody waits, whatever the policy says: a day.
const MOST_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// A pool, and who on this machine hears of it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) pool: Pool,
    /// The sessions of this machine that have been told that they wait.
    audience: Vec<SessionId>,
}

impl Hub {
    /// A peer wants to meet a stranger.
    pub(super) fn search(
        &mut self,
        now: Instant,
        session: SessionId,
        pool: &str,
        id: Option<RequestId>,
        userdata: Option<Payload<'_>>,
        emit: &mut Emit<'_>,
    ) {
        let most = self.limits.channels_per_peer;
        let Ok(name) = PoolName::new(pool) else {
            return reject(session, ErrorCode::BadMessage, Subject::Pool(pool), id.as_ref(), emit);
        };
        let Some(state) = self.session(session) else { return };
        match (state.search_in(pool), userdata) {
            (Some(_), Some(userdata)) => {
                let userdata = userdata.to_owned();
                let entry = Entry::Update { peer: state.peer.clone(), userdata: userdata.clone() };
                let step = Step::MatchingAgain(userdata);
                self.append(now, session, id, step, (Place::Pool(name), entry), emit);
            }
            (Some(_), None) => self.answer_waiting(session, &name, id.as_ref(), emit),
            (None, _) if !self.may_use(state, name.namespace()) => {
                reject(session, ErrorCode::Unauthorized, Subject::Pool(pool), id.as_ref(), emit);
            }
            (None, _) if self.places_of(state) >= most => {
                reject(session, ErrorCode::Limit, Subject::Pool(pool), id.as_ref(), emit);
            }
            (None, userdata) => {
                self.ask_policy(now, session, Place::Pool(name), id, (userdata, None), emit);
            }
        }
    }

    /// The policy lets the peer wait.
    pub(super) fn may_search(
        &mut self,
        now: Instant,
        mut undecided: Undecided,
        pool: PoolName,
        grant: MatchGrant,
        room: ChannelName,
        emit: &mut Emit<'_>,
    ) {
        let (token, id) = (undecided.token, undecided.id.as_ref());
        let Some(state) = self.session(token.session) else { return };
        if state.is_detached() {
            tell_end(token.session, &pool, id, MatchEnd::Detached, emit);
            return self.go_on(now, token.session, undecided, emit);
        }
        if self.has_no_place_in(&pool) || self.rooms.len() >= self.limits.channels {
            reject(token.session, ErrorCode::Limit, &undecided.place, id, emit);
            return self.go_on(now, token.session, undecided, emit);
        }
        let MatchGrant { mut settings, patience } = grant;
        let most = u32::try_from(self.limits.members_per_channel).unwrap_or(u32::MAX);
        settings.capacity = settings.capacity.min(most).max(2);
        if settings.topology == Topology::Unlisted {
            // Strangers know no ids by which they could address each other.
            settings.topology = Topology::Mesh;
        }
        let avoid = if self.limits.rematch.is_zero() { Vec::new() } else { state.met.clone() };
        let (peer, identity) = (state.peer.clone(), state.identity.clone());
        let Step::Authorizing(userdata) = mem::replace(&mut undecided.step, Step::Abandoned(Late::Other))
        else {
            return;
        };
        let deadline = now + self.limits.commit_timeout;
        let step = Step::Matching(patience.min(MOST_PATIENCE));
        self.await_again(token.session, step, deadline, undecided);
        let entry = Entry::Match { peer, identity, userdata, avoid, room, settings };
        emit(Output::Append { token, place: Place::Pool(pool), entry });
    }

    /// Whether nobody else may wait in a pool: it would be one pool too many, or too many wait there already.
    fn has_no_place_in(&self, pool: &PoolName) -> bool {
        let Some(Queue { pool, .. }) = self.queues.get(pool) else {
            return self.queues.len() >= self.limits.pools;
        };
        // Whoever completes a match does not wait.
        let most = self.limits.waiting_per_pool.max(pool.settings().capacity as usize);
        pool.tickets().len() >= most
    }

    /// A peer does not want to wait any longer.
    pub(super) fn cancel_search(
        &mut self,
        now: Instant,
        session: SessionId,
        pool: &str,
        id: Option<RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let Some(state) = self.session(session) else { return };
        match state.search_in(pool).map(|search| search.pool.clone()) {
            Some(name) => {
                let entry = Entry::Cancel { peer: state.peer.clone() };
                self.append(now, session, id, Step::Cancelling, (Place::Pool(name), entry), emit);
            }
            None => confirm(session, id.as_ref(), emit),
        }
    }

    /// The log has ordered an entry of a pool.
    pub(super) fn committed_in_pool(
        &mut self,
        now: Instant,
        pool: PoolName,
        position: Position,
        entry: Entry,
        emit: &mut Emit<'_>,
    ) {
        let session = self.peers.get(entry.peer()).copied();
        let undecided = session.and_then(|session| {
            self.session_mut(session)?.take_decided(Subject::Pool(pool.as_str()), &entry)
        });
        let queue = self.queues.entry(pool.clone()).or_default();
        let waited = queue.pool.tickets().len();
        let found = queue.pool.apply(position, entry);
        match found {
            Some(found) => self.bring_together(&pool, position, found, undecided.as_ref(), emit),
            None => session.into_iter().for_each(|session| {
                self.decided_in_pool(now, session, &pool, undecided.as_ref(), emit);
            }),
        }
        self.tell_number(&pool, waited, session, emit);
        if self.queues.get(&pool).is_some_and(|queue| queue.pool.tickets().is_empty()) {
            self.queues.remove(&pool);
        }
        if let (Some(session), Some(undecided)) = (session, undecided) {
            self.forget_deadline(&undecided);
            self.go_on(now, session, undecided, emit);
        }
    }

    /// Strangers meet in a channel of their own. `undecided` is what one of them wanted of the pool.
    fn bring_together(
        &mut self,
        pool: &PoolName,
        position: Position,
        found: Match,
        undecided: Option<&Undecided>,
        emit: &mut Emit<'_>,
    ) {
        let Match { room: name, settings, strangers } = found;
        let peers: Vec<PeerId> = strangers.iter().map(|ticket| ticket.peer.clone()).collect();
        let is_fresh = name.is_of_a_match() && !self.room_keys.contains_key(&name);
        debug_assert!(is_fresh, "nobody has been in {name} before");
        let room = self.open_room(name.clone());
        self.rooms[room].channel = Channel::of_match(position, settings, strangers);
        let asks = undecided.filter(|undecided| matches!(undecided.step, Step::Matching(_)));
        let (mut seated, mut gone) = (Vec::new(), Vec::new());
        for peer in &peers {
            let Some(session) = self.peers.get(peer).copied() else { continue };
            let waited = self.forget_search(session, pool);
            let asks = asks.filter(|undecided| undecided.token.session == session);
            let id = asks.and_then(|undecided| undecided.id.as_ref());
            let Some(state) = self.session_mut(session) else { continue };
            let wants = waited || asks.is_some();
            match state.phase {
                Phase::Attached if wants => {
                    state.take_seat(Seat { room, joined_at: position });
                    state.met = peers.iter().filter(|other| *other != peer).cloned().collect();
                    seated.push((session, peer, id));
                }
                Phase::Attached => gone.push((session, EndReason::Parted)),
                Phase::Detached(_) => {
                    if wants {
                        tell_end(session, pool, id, MatchEnd::Detached, emit);
                    }
                    gone.push((session, EndReason::Timeout));
                }
                Phase::Ending(reason) => gone.push((session, reason)),
            }
        }
        for (session, peer, id) in &seated {
            let (pool, channel) = (Cow::Borrowed(pool.as_str()), Cow::Borrowed(name.as_str()));
            let message = ServerMessage::Matched { id: *id, pool, channel };
            let is_host = self.rooms[room].channel.host() == Some(*peer);
            let standing = Standing { joined_at: position, is_host };
            emit(Output::Joined { session: *session, channel: &name, settings: &settings, standing });
            emit(Output::send(Recipients::one(session), message));
            self.rooms[room].answer_join(self.epoch, *session, peer, None, emit);
        }
        for (session, _, _) in seated {
            self.rooms[room].enter_audience(session, &self.peers);
        }
        if self.rooms[room].is_of_others() && gone.is_empty() {
            // Other machines follow what becomes of it.
            self.rooms.remove(room);
            self.room_keys.remove(&name);
        }
        for (session, reason) in gone {
            self.withdraw(session, name.clone(), reason, emit);
        }
    }

    /// The log has decided on what `session` wanted of a pool, and nobody has met. As with channels the outcome is
    /// whether it waits now, not which entry was seen.
    fn decided_in_pool(
        &mut self,
        now: Instant,
        session: SessionId,
        pool: &PoolName,
        undecided: Option<&Undecided>,
        emit: &mut Emit<'_>,
    ) {
        let Some(state) = self.session(session) else { return };
        let waits = self.pool(pool.as_str()).is_some_and(|pool| pool.ticket(&state.peer).is_some());
        let knows = state.search_in(pool.as_str()).is_some();
        let id = undecided.and_then(|undecided| undecided.id.as_ref());
        let step = undecided.map(|undecided| &undecided.step).filter(|_| state.is_live());
        match (waits, step) {
            (true, Some(Step::Matching(patience))) => {
                self.answer_waiting(session, pool, id, emit);
                self.begin_search(now, session, pool, *patience);
            }
            (true, Some(Step::MatchingAgain(_))) => self.answer_waiting(session, pool, id, emit),
            // It has met somebody meanwhile, or waits no longer: it would meet another.
            (false, Some(Step::MatchingAgain(userdata))) if !knows => {
                self.search(now, session, pool.as_str(), id.cloned(), Some(userdata.as_payload()), emit);
            }
            (true, _) if knows || state.awaits_log(Subject::Pool(pool.as_str())) => {}
            // Nobody waits with this ticket any more.
            (true, _) => self.return_ticket(session, pool.clone(), MatchEnd::Unavailable, emit),
            (false, Some(Step::Cancelling)) => {
                self.forget_search(session, pool);
                confirm(session, id, emit);
            }
            (false, step) if knows => {
                let reason = match step {
                    Some(Step::EndingSearch(reason)) => *reason,
                    _ => MatchEnd::Unavailable,
                };
                self.forget_search(session, pool);
                tell_end(session, pool, id, reason, emit);
            }
            (false, _) => {}
        }
    }

    /// Something may change for a stranger who has waited for so long.
    pub(super) fn search_due(&mut self, now: Instant, token: Token, emit: &mut Emit<'_>) {
        let session = token.session;
        let Some(state) = self.session_mut(session) else { return };
        let Some(search) = state.search_of(token) else { return };
        let (pool, is_over, ends_at) = (search.pool.clone(), search.ends_at <= now, search.ends_at);
        if state.undecided_in(Subject::Pool(pool.as_str())).is_some() {
            self.set_alarm(token, now + AGAIN);
        } else if is_over {
            self.return_ticket(session, pool, MatchEnd::Timeout, emit);
        } else {
            let entry = Entry::Widen { peer: state.peer.clone() };
            self.set_alarm(token, ends_at);
            self.append(now, session, None, Step::Widening, (Place::Pool(pool), entry), emit);
        }
    }

    /// The log would not let a ticket take those whom its peer has met last.
    pub(super) fn widen_again(&mut self, now: Instant, session: SessionId, place: &Place) {
        let Place::Pool(pool) = place else { return };
        let Some(state) = self.session(session) else { return };
        let avoids = self.pool(pool.as_str()).and_then(|pool| pool.ticket(&state.peer));
        if avoids.is_some_and(|ticket| !ticket.avoid.is_empty())
            && let Some(search) = state.search_in(pool.as_str())
            // If there is an earlier alarm, it is still to be tried.
            && search.alarm == search.ends_at
        {
            self.set_alarm(search.token, search.ends_at.min(now + AGAIN));
        }
    }

    /// A ticket ends when its session has lost its socket: nobody shall meet somebody who may not come back. If
    /// something about the ticket is undecided this is looked at again afterwards.
    pub(super) fn end_search_if_detached(
        &mut self,
        session: SessionId,
        pool: &PoolName,
        emit: &mut Emit<'_>,
    ) {
        let Some(state) = self.session_mut(session).filter(|state| state.is_detached()) else { return };
        let waits = state.search_in(pool.as_str()).is_some();
        if waits && state.undecided_in(Subject::Pool(pool.as_str())).is_none() {
            self.return_ticket(session, pool.clone(), MatchEnd::Detached, emit);
        }
    }

    /// The session has ended: nothing is told to it.
    pub(super) fn end_search(&mut self, session: SessionId, pool: PoolName, emit: &mut Emit<'_>) {
        self.forget_search(session, &pool);
        let Some(state) = self.session_mut(session) else { return };
        if state.undecided_in(Subject::Pool(pool.as_str())).is_none() {
            self.return_ticket(session, pool, MatchEnd::Detached, emit);
        }
    }

    fn return_ticket(&mut self, session: SessionId, pool: PoolName, reason: MatchEnd, emit: &mut Emit<'_>) {
        let Some(peer) = self.peer_of(session).cloned() else { return };
        let place = Place::Pool(pool);
        let token = self.await_decision(session, place.clone(), None, Step::EndingSearch(reason), None);
        emit(Output::Append { token, place, entry: Entry::Cancel { peer } });
    }

    fn begin_search(&mut self, now: Instant, session: SessionId, pool: &PoolName, patience: Duration) {
        let token = self.next_token(session);
        let ends_at = now + patience;
        let rematch = now + self.limits.rematch;
        let ticket = self.peer_of(session).and_then(|peer| self.pool(pool.as_str())?.ticket(peer));
        let avoids = ticket.is_some_and(|ticket| !ticket.avoid.is_empty());
        let alarm = if avoids { ends_at.min(rematch) } else { ends_at };
        let Some(state) = self.session_mut(session) else { return };
        state.searches.push(Search { pool: pool.clone(), token, ends_at, alarm });
        self.counts.waiting += 1;
        self.set_alarm(token, alarm);
        if let Some(queue) = self.queues.get_mut(pool) {
            queue.audience.push(session);
        }
    }

    fn set_alarm(&mut self, token: Token, at: Instant) {
        let Some(search) = self.session_mut(token.session).and_then(|state| state.search_of(token)) else {
            return;
        };
        let before = mem::replace(&mut search.alarm, at);
        self.timers.remove(&(before, Timer::Search(token)));
        self.timers.insert((at, Timer::Search(token)));
    }

    /// Whether the peer knew that it waits.
    fn forget_search(&mut self, session: SessionId, pool: &PoolName) -> bool {
        let Some(state) = self.session_mut(session) else { return false };
        let Some(index) = state.searches.iter().position(|search| search.pool == *pool) else {
            return false;
        };
        let search = state.searches.remove(index);
        self.counts.waiting -= 1;
        self.timers.remove(&(search.alarm, Timer::Search(search.token)));
        if let Some(queue) = self.queues.get_mut(pool) {
            queue.audience.retain(|listener| *listener != session);
        }
        true
    }

    fn answer_waiting(
        &self,
        session: SessionId,
        pool: &PoolName,
        id: Option<&RequestId>,
        emit: &mut Emit<'_>,
    ) {
        let waiting = self.pool(pool.as_str()).map_or(0, |pool| pool.tickets().len());
        let message = ServerMessage::Waiting { id, pool: Cow::Borrowed(pool.as_str()), waiting };
        emit(Output::send(Recipients::one(&session), message));
    }

    /// Tells the others how many wait, if that has changed.
    fn tell_number(&self, pool: &PoolName, before: usize, session: Option<SessionId>, emit: &mut Emit<'_>) {
        let Some(Queue { pool: state, audience }) = self.queues.get(pool) else { return };
        let waiting = state.tickets().len();
        let to = match session {
            Some(session) => Recipients::others(audience, session),
            None => Recipients::all(audience),
        };
        if waiting != before && !to.is_empty() {
            let message = ServerMessage::Waiting { id: None, pool: Cow::Borrowed(pool.as_str()), waiting };
            emit(Output::send(to, message));
        }
    }
}

fn tell_end(
    session: SessionId,
    pool: &PoolName,
    id: Option<&RequestId>,
    reason: MatchEnd,
    emit: &mut Emit<'_>,
) {
    let message = ServerMessage::MatchEnded { id, pool: Cow::Borrowed(pool.as_str()), reason };
    emit(Output::send(Recipients::one(&session), message));
}
