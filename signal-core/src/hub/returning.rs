//! The server has started again: for a while those go first whose calls go on.

use std::{collections::BTreeSet, mem, time::Instant};

use super::{
    Emit, Hub, Timer,
    session::{Late, Step, Undecided},
};
use crate::{ChannelName, Hosting, JoinGrant, Place, Position, SessionId, Standing, Token, Topology};

/// Until when others wait, and who does.
#[derive(Debug, Default)]
pub(super) struct Returning {
    until: Option<Instant>,
    /// The joins that wait, in the order in which they go: at most one for each undecided join of the sessions.
    waiting: BTreeSet<(ChannelName, Turn, Token)>,
}

/// A join that the policy allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) grant: JoinGrant,
    /// What the peer was in the channel before the server started again, if it was there.
    pub(super) standing: Option<Standing>,
}

/// When a join goes, among those that wait for the same channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// It had joined there before the server started again. A star has the same host then, as that is always the one
    /// that has come first of those who may be.
    Returning(Position),
    /// It was not there. Tokens are in order of asking.
    Newcomer(u64),
}

impl Returning {
    pub(super) fn begin(&mut self, until: Instant) {
        self.until = Some(until);
    }
}

impl Hub {
    /// Puts a join to the log, or lets it wait for those who return.
    pub(super) fn join_in_turn(
        &mut self,
        now: Instant,
        mut undecided: Undecided,
        channel: ChannelName,
        claim: Claim,
        emit: &mut Emit<'_>,
    ) {
        let Some(until) = self.returning.until.filter(|until| now < *until) else {
            return self.may_join(now, undecided, channel, claim.grant, emit);
        };
        if !self.may_take_anothers_seat(&claim) && !self.may_become_host_instead(&channel, &claim) {
            return self.may_join(now, undecided, channel, claim.grant, emit);
        }
        let (Step::Authorizing(userdata) | Step::Yielding(userdata, _)) =
            mem::replace(&mut undecided.step, Step::Abandoned(Late::Other))
        else {
            return;
        };
        self.timers.insert((until, Timer::Returned));
        self.returning.waiting.insert((channel, claim.turn(undecided.token), undecided.token));
        undecided.step = Step::Yielding(userdata, claim);
        undecided.deadline = None;
        if let Some(state) = self.session_mut(undecided.token.session) {
            state.undecided.push(undecided);
        }
    }

    /// Whether there are not seats for all, and this one might be that of somebody whose call goes on.
    fn may_take_anothers_seat(&self, claim: &Claim) -> bool {
        let settings = &claim.grant.settings;
        let is_bounded = settings.capacity < self.limits.members_of(settings.topology);
        is_bounded && claim.standing.is_none()
    }

    /// Whether the join would make the peer the host of a star, to which everybody in it is connected, and it might be that
    /// another one is.
    fn may_become_host_instead(&self, channel: &ChannelName, claim: &Claim) -> bool {
        let JoinGrant { settings, hosting } = claim.grant;
        let was_host = claim.standing.is_some_and(|standing| standing.is_host);
        let has_host = || self.channel(channel.as_str()).is_some_and(|channel| channel.host().is_some());
        settings.topology == Topology::Star && hosting == Hosting::Candidate && !was_host && !has_host()
    }

    /// A star has its host: who has waited for nothing else goes on.
    pub(super) fn host_is_there(&mut self, now: Instant, room: usize, emit: &mut Emit<'_>) {
        if self.returning.waiting.is_empty() {
            return;
        }
        let name = self.rooms[room].name.clone();
        let first = (name.clone(), Turn::Returning(Position(0)), Token { session: SessionId(0), serial: 0 });
        let waiting = self.returning.waiting.range(first..).take_while(|(channel, ..)| *channel == name);
        let tokens: Vec<_> = waiting.map(|(_, _, token)| *token).collect();
        self.go_in_turn(now, tokens, emit);
    }

    /// Nobody is waited for any longer.
    pub(super) fn all_have_returned(&mut self, now: Instant, emit: &mut Emit<'_>) {
        let tokens: Vec<_> = self.returning.waiting.iter().map(|(_, _, token)| *token).collect();
        self.go_in_turn(now, tokens, emit);
    }

    fn go_in_turn(&mut self, now: Instant, tokens: Vec<Token>, emit: &mut Emit<'_>) {
        for token in tokens {
            let Some(state) = self.session_mut(token.session) else { continue };
            let Some(undecided) = state.take_undecided(|undecided| undecided.token == token) else {
                continue;
            };
            self.forget_turn(&undecided);
            if let (Place::Channel(name), Step::Yielding(_, claim)) =
                (undecided.place.clone(), &undecided.step)
            {
                let claim = *claim;
                self.join_in_turn(now, undecided, name, claim, emit);
            }
        }
    }

    /// Every join that waits is in its place, and nothing else.
    #[cfg(any(test, fuzzing))]
    pub(super) fn check_turns(&self) {
        let sessions = self.sessions.iter().flatten();
        let undecided = sessions.flat_map(|session| &session.undecided);
        let yielding = undecided.filter(|undecided| matches!(undecided.step, Step::Yielding(..))).count();
        assert_eq!(self.returning.waiting.len(), yielding, "joins that wait");
    }

    /// A join waits no longer.
    pub(super) fn forget_turn(&mut self, undecided: &Undecided) {
        if let (Place::Channel(name), Step::Yielding(_, claim)) = (&undecided.place, &undecided.step) {
            let token = undecided.token;
            self.returning.waiting.remove(&(name.clone(), claim.turn(token), token));
        }
    }
}

impl Claim {
    fn turn(&self, token: Token) -> Turn {
        let newcomer = Turn::Newcomer(token.serial);
        self.standing.map_or(newcomer, |standing| Turn::Returning(standing.joined_at))
    }
}
