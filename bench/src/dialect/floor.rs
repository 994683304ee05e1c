//! What the floor understands: the name of a channel, and then whatever the other one is to hear. It is as long as what our
//! server delivers.

use super::{Dialect, Heard, Introduction, Numbered, Payload, Signal};
use crate::inbox::OPENED;

#[derive(Debug)]
pub(crate) struct Floor;

impl Dialect for Floor {
    fn path(&self, _: usize, _: &str) -> String {
        "/".to_owned()
    }

    fn hear(&self, text: &str) -> Option<Heard> {
        if text.as_bytes() == OPENED { Some(Heard::Welcome(String::new())) } else { Signal.hear(text) }
    }

    fn join(&self, channel: &str) -> Option<String> {
        Some(channel.to_owned())
    }

    fn relay(&self, payload: Payload, to: &Introduction) -> Numbered {
        said(payload, to.should_create_offer, to)
    }

    fn relayed(&self, payload: Payload, from: &Introduction) -> Numbered {
        said(payload, !from.should_create_offer, from)
    }
}

/// The floor does not say who it is from, so the one who says it does.
fn said(payload: Payload, offers: bool, other: &Introduction) -> Numbered {
    let peer_id = if offers { "Zk3pX0vTqYd1mWb8RhLs2g" } else { "b7Qn4cUeJ5oKxS9fVtA1iw" };
    let introduction = Introduction::of(peer_id, offers);
    Signal.relayed(payload, &Introduction { connection_id: other.connection_id.clone(), ..introduction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_says_is_what_the_other_must_hear() {
        let introduction = |offers, connection: &str| Introduction {
            connection_id: connection.to_owned(),
            ..Introduction::of("Zk3pX0vTqYd1mWb8Rh0001", offers)
        };
        let [one, other] = [true, false].map(|offers| introduction(offers, "0000000000000007.1"));
        let mut said = Floor.relay(Payload::Candidate, &one);
        Floor.relayed(Payload::Candidate, &other).check(said.next()).unwrap();
        assert!(Floor.relayed(Payload::Candidate, &one).check(said.next()).is_err(), "its own");
        let stranger = introduction(false, "0000000000000008.1");
        assert!(Floor.relayed(Payload::Candidate, &stranger).check(said.next()).is_err());
    }
}
