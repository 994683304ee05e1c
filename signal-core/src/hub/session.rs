//! One session: its seats, and what it waits for.

use std::{collections::VecDeque, time::Instant};

use super::request::Request;
use crate::{ChannelName, EndReason, OwnedPayload, PeerId, Position, RequestId, Token};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer: PeerId,
    pub(super) identity: Option<Box<str>>,
    pub(super) phase: Phase,
    pub(super) seats: Vec<Seat>,
    /// At most one for each channel.
    pub(super) undecided: Vec<Undecided>,
    /// How many messages wait in all of `undecided`.
    pub(super) waiting: usize,
    /// Whether the driver has been told not to read.
    pub(super) held: bool,
    /// When the last errors of form were; pruned at each new one.
    pub(super) malformed: Vec<Instant>,
}

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

/// A request about a channel on which the policy or the log has not decided.
#[derive(Debug)]
pub(super) struct Undecided {
    pub(super) channel: ChannelName,
    pub(super) token: Token,
    pub(super) step: Step,
    /// The request to answer; the server's own steps have none.
    pub(super) id: Option<RequestId>,
    pub(super) deadline: Option<Instant>,
    /// What the peer has said about this channel since.
    pub(super) waiting: VecDeque<(Option<RequestId>, Request<OwnedPayload>)>,
}

#[derive(Debug)]
pub(super) enum Step {
    /// The policy decides on a join with this userdata.
    Authorizing(Option<OwnedPayload>),
    /// The log decides on a join.
    Joining,
    /// The log decides on the userdata of a join by a member.
    Rejoining,
    /// The log decides on a part.
    Parting,
    /// The log decides on new userdata.
    Updating,
    /// The peer has been told `unavailable`, but the log may still commit the entry. A join is parted then.
    Abandoned,
    /// The seat is given up without the peer having asked; repeated until the log takes it.
    Withdrawing(EndReason),
}

impl Session {
    pub(super) fn new(peer: PeerId, identity: Option<Box<str>>) -> Self {
        Self {
            peer,
            identity,
            phase: Phase::Attached,
            seats: Vec::new(),
            undecided: Vec::new(),
            waiting: 0,
            held: false,
            malformed: Vec::new(),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Ending(_))
    }

    pub(super) fn seat_in(&self, room: usize) -> Option<Seat> {
        self.seats.iter().copied().find(|seat| seat.room == room)
    }

    pub(super) fn undecided_in(&mut self, channel: &str) -> Option<&mut Undecided> {
        self.undecided.iter_mut().find(|undecided| undecided.channel.as_str() == channel)
    }

    pub(super) fn take_undecided(&mut self, wanted: impl Fn(&Undecided) -> bool) -> Option<Undecided> {
        let index = self.undecided.iter().position(wanted)?;
        Some(self.undecided.remove(index))
    }
}
