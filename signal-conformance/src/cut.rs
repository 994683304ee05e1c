//! How and where a connection is cut.

use std::fmt;

use crate::{
    dice::Dice,
    places::{Place, Places},
};

/// How one connection is lost.
#[derive(Clone)]
pub(crate) struct Cut {
    pub(crate) kind: Kind,
    pub(crate) way: Way,
    /// Which bytes are counted. Nothing: all.
    place: Option<Place>,
    /// So many of them pass.
    bytes: usize,
    /// Of what is late: it comes after so many bytes to the server over the next connection.
    pub(crate) late: usize,
    passed: usize,
    places: Places,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Both ends are reset.
    Reset,
    /// Both ends are told that no more comes.
    Close,
    /// One end is told that no more comes; in the other direction everything goes on.
    HalfClose,
    /// Nothing passes any more. The client gives it up, and the server does not hear of that.
    Freeze,
    /// As [`Freeze`](Self::Freeze), and what the client has said arrives when it has another connection.
    Late,
}

/// In which direction bytes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    Down,
}

impl Cut {
    /// One of those that can be made on any connection.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        // No head and no greeting is so short.
        let place = dice.roll(6);
        match place {
            0 => Self::at(Some(Place::Head), dice.roll(120), dice),
            1 => Self::at(Some(Place::Greeting), dice.roll(150), dice),
            2 => {
                let bytes = dice.roll(300) + dice.roll(1000);
                Self::at(None, bytes, dice)
            }
            _ => Self::draw_after_greeting(dice),
        }
    }

    /// One of those that come after `welcome`.
    pub(crate) fn draw_after_greeting(dice: &mut Dice) -> Self {
        let (place, bytes) = match dice.roll(3) {
            0 => (Place::Header, dice.roll(60)),
            1 => (Place::Ack, dice.roll(40)),
            _ => (Place::Body, dice.roll(16) << dice.roll(12)),
        };
        Self::at(Some(place), bytes, dice)
    }

    fn at(place: Option<Place>, bytes: usize, dice: &mut Dice) -> Self {
        let way = dice.pick(&[Way::Up, Way::Down]);
        let kind = dice.pick(&[Kind::Reset, Kind::Close, Kind::HalfClose, Kind::Freeze, Kind::Late]);
        // A `hello` that comes after that of the next connection would take the session over. And who is cut in the
        // other direction may have passed a part of something on already.
        let may_be_late = way == Way::Up && place.is_some_and(Place::is_after_greeting);
        let kind = if kind == Kind::Late && !may_be_late { Kind::Freeze } else { kind };
        Self { kind, way, place, bytes, late: dice.roll(500), passed: 0, places: Places::default() }
    }

    /// Which of these bytes is the first that does not pass. They come after those of the call before.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| {
            let place = self.places.of(*byte);
            let counts = self.place.is_none_or(|counted| counted == place);
            let is_after = counts && self.passed == self.bytes;
            self.passed += usize::from(counts && !is_after);
            is_after
        })
    }
}

impl fmt::Debug for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, way, place, bytes, .. } = self;
        let place = place.as_ref().map_or(&"anything" as &dyn fmt::Debug, |place| place);
        write!(f, "{kind:?} {way:?} after {bytes} bytes of {place:?}")
    }
}
