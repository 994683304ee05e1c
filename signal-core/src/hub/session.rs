//! One session: its seats, and what it waits for.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{request::Request, returning::Claim};
use crate::{EndReason, Entry, MatchEnd, OwnedPayload, PeerId, Place, PoolName, Position, RequestId, Token};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer: PeerId,
    pub(super) identity: Option<Box<str>>,
    pub(super) namespace: Option<Namespace>,
    pub(super) phase: Phase,
    pub(super) seats: Vec<Seat>,
    /// At most one for each pool.
    pub(super) searches: Vec<Search>,
    /// Whom it has met in its last match.
    pub(super) met: Vec<PeerId>,
    /// At most one for each channel and pool.
    pub(super) undecided: Vec<Undecided>,
    /// How many messages wait in all of `undecided`.
    pub(super) waiting: usize,
    /// Whether the driver has been told not to read.
    pub(super) held: bool,
    /// When the last errors of form were; pruned at each new one.
    pub(super) malformed: Vec<Instant>,
}

/// The place of a namespace among those of the hub: there are few of them, and many sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Namespace(pub(super) u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A socket carries it.
    Attached,
    /// The socket is lost; the session ends at this time.
    Detached(Instant),
    /// It gives up its seats; nothing is delivered to it.
    Ending(EndReason),
}

/// A seat that the log has given and that the peer knows of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub(super) room: usize,
    pub(super) joined_at: Position,
}

/// A ticket in a pool, of which the peer has been told.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) pool: PoolName,
    /// Names it in timers.
    pub(super) token: Token,
    /// When the peer has waited long enough.
    pub(super) ends_at: Instant,
    /// When to look at it next: then, or earlier to take those whom the peer has met last.
    pub(super) alarm: Instant,
}

/// What a request is about: a [`Place`] whose name is borrowed from the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    Channel(&'a str),
    Pool(&'a str),
}

impl<'a> From<&'a Place> for Subject<'a> {
    fn from(place: &'a Place) -> Self {
        match place {
            Place::Channel(name) => Self::Channel(name.as_str()),
            Place::Pool(name) => Self::Pool(name.as_str()),
        }
    }
}

/// A request about a channel or pool on which the policy or the log has not decided.
#[derive(Debug)]
pub(super) struct Undecided {
    pub(super) place: Place,
    pub(super) token: Token,
    pub(super) step: Step,
    /// The request to answer; the server's own steps have none.
    pub(super) id: Option<RequestId>,
    pub(super) deadline: Option<Instant>,
    /// What the peer has said about this place since.
    pub(super) waiting: VecDeque<(Option<RequestId>, Request<OwnedPayload>)>,
}

impl Undecided {
    fn is_about(&self, subject: Subject<'_>) -> bool {
        Subject::from(&self.place) == subject
    }
}

#[derive(Debug)]
pub(super) enum Step {
    /// The policy decides on a join or match with this userdata.
    Authorizing(Option<OwnedPayload>),
    /// The policy lets the peer join with this userdata, but for a while those go first who had seats before.
    Yielding(Option<OwnedPayload>, Claim),
    /// The log decides on a join.
    Joining,
    /// The log decides on the userdata of a join by a member.
    Rejoining,
    /// The log decides on a part.
    Parting,
    /// The log decides on new userdata.
    Updating,
    /// The log decides on a match. The peer would wait for so long.
    Matching(Duration),
    /// The log decides on this userdata of a stranger who waits already.
    MatchingAgain(OwnedPayload),
    /// The log decides whether a ticket takes those whom the peer has met last.
    Widening,
    /// The log decides on the end of a search that the peer has asked for.
    Cancelling,
    /// The search is ended without the peer having asked; repeated until the log takes it.
    EndingSearch(MatchEnd),
    /// The peer has been told `unavailable`, but the log may still commit the entry. A join is parted then, a ticket
    /// given back.
    Abandoned(Late),
    /// The seat is given up without the peer having asked; repeated until the log takes it.
    Withdrawing(EndReason),
}

/// What the log may still commit after the peer has been told `unavailable`. Only a join or match gives something that
/// has to be given back, so another machine's entry about the peer must not be taken for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Late {
    Join,
    Match,
    Other,
}

impl Step {
    /// The step that this one becomes when its deadline has passed.
    pub(super) fn abandoned(&self) -> Self {
        Self::Abandoned(match self {
            Self::Joining => Late::Join,
            Self::Matching(_) => Late::Match,
            Self::Authorizing(_)
            | Self::Yielding(..)
            | Self::Rejoining
            | Self::Parting
            | Self::Updating
            | Self::MatchingAgain(_)
            | Self::Widening
            | Self::Cancelling
            | Self::EndingSearch(_)
            | Self::Abandoned(_)
            | Self::Withdrawing(_) => Late::Other,
        })
    }

    /// Whether an entry is on its way.
    pub(super) fn is_with_log(&self) -> bool {
        !matches!(self, Self::Authorizing(_) | Self::Yielding(..))
    }

    /// Whether an entry about the peer decides it. An earlier one may come late, after another machine was faster.
    fn is_decided_by(&self, entry: &Entry) -> bool {
        match self {
            Self::Authorizing(_) | Self::Yielding(..) => false,
            Self::Joining => matches!(entry, Entry::Join { .. }),
            Self::Rejoining | Self::Updating => matches!(entry, Entry::Update { .. } | Entry::Part { .. }),
            Self::Parting | Self::Withdrawing(_) => matches!(entry, Entry::Part { .. }),
            Self::Matching(_) => matches!(entry, Entry::Match { .. }),
            Self::MatchingAgain(_) => matches!(entry, Entry::Update { .. }),
            Self::Widening => matches!(entry, Entry::Widen { .. }),
            Self::Cancelling | Self::EndingSearch(_) => matches!(entry, Entry::Cancel { .. }),
            Self::Abandoned(Late::Join) => matches!(entry, Entry::Join { .. }),
            Self::Abandoned(Late::Match) => matches!(entry, Entry::Match { .. }),
            Self::Abandoned(Late::Other) => true,
        }
    }
}

impl Session {
    pub(super) fn new(peer: PeerId, identity: Option<Box<str>>, namespace: Option<Namespace>) -> Self {
        Self {
            peer,
            identity,
            namespace,
            phase: Phase::Attached,
            seats: Vec::new(),
            searches: Vec::new(),
            met: Vec::new(),
            undecided: Vec::new(),
            waiting: 0,
            held: false,
            malformed: Vec::new(),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Ending(_))
    }

    pub(super) fn take_seat(&mut self, seat: Seat) {
        // Most sessions have one, and there are many.
        self.seats.reserve_exact(1);
        self.seats.push(seat);
    }

    pub(super) fn seat_in(&self, room: usize) -> Option<Seat> {
        self.seats.iter().copied().find(|seat| seat.room == room)
    }

    pub(super) fn is_detached(&self) -> bool {
        matches!(self.phase, Phase::Detached(_))
    }

    pub(super) fn search_in(&self, pool: &str) -> Option<&Search> {
        self.searches.iter().find(|search| search.pool.as_str() == pool)
    }

    pub(super) fn search_of(&mut self, token: Token) -> Option<&mut Search> {
        self.searches.iter_mut().find(|search| search.token == token)
    }

    pub(super) fn undecided_in(&mut self, subject: Subject<'_>) -> Option<&mut Undecided> {
        self.undecided.iter_mut().find(|undecided| undecided.is_about(subject))
    }

    /// Whether an entry is on its way.
    pub(super) fn awaits_log(&self, subject: Subject<'_>) -> bool {
        self.undecided.iter().any(|undecided| undecided.is_about(subject) && undecided.step.is_with_log())
    }

    /// What the session has wanted and the log has decided on by this entry.
    pub(super) fn take_decided(&mut self, subject: Subject<'_>, entry: &Entry) -> Option<Undecided> {
        self.take_undecided(|undecided| undecided.is_about(subject) && undecided.step.is_decided_by(entry))
    }

    pub(super) fn take_undecided(&mut self, wanted: impl Fn(&Undecided) -> bool) -> Option<Undecided> {
        let index = self.undecided.iter().position(wanted)?;
        Some(self.undecided.remove(index))
    }
}
