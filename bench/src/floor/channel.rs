//! Who is with whom, and what they are told of each other.

use std::{collections::HashMap, rc::Rc};

use slab::Slab;

use super::{
    connection::{Connection, Stage},
    frame,
};

#[derive(Default)]
pub(super) struct Channels {
    by_name: HashMap<Rc<[u8]>, usize>,
    channels: Slab<Channel>,
}

struct Channel {
    name: Rc<[u8]>,
    /// Those who are there, each with its number.
    members: Vec<(u32, usize)>,
    /// The number of the next one.
    next: u32,
}

impl Channels {
    /// Lets a client in, who relays to the one that is there, if it is the only one. All are told of each other: those for
    /// whom notices wait now are put to `told`. How many notices these are.
    pub(super) fn join(
        &mut self,
        client: usize,
        name: &[u8],
        connections: &mut Slab<Connection>,
        told: &mut Vec<usize>,
    ) -> u64 {
        let index = *self.by_name.entry(name.into()).or_insert_with_key(|name| {
            self.channels.insert(Channel { name: Rc::clone(name), members: Vec::new(), next: 0 })
        });
        let channel = &mut self.channels[index];
        let number = channel.next;
        channel.next += 1;

        let connection_id = format!("{index:016x}.{number}");
        let mut about_it = Notice::new(name, &connection_id, Offerer::Recipient);
        let mut about_others = Notice::new(name, &connection_id, Offerer::Other);
        for (other, member) in &channel.members {
            // If not, it is among them already, or waits for its socket.
            if connections[*member].is_flushed() {
                told.push(*member);
            }
            connections[*member].put(about_it.about(number));
            connections[client].put(about_others.about(*other));
        }
        told.push(client);

        let mut partner = None;
        if let [(_, only)] = channel.members[..] {
            connections[only].stage = Stage::Member { channel: index, partner: Some(client) };
            partner = Some(only);
        }
        connections[client].stage = Stage::Member { channel: index, partner };
        let notices = 2 * channel.members.len() as u64;
        channel.members.push((number, client));
        notices
    }

    pub(super) fn leave(&mut self, client: usize, connections: &mut Slab<Connection>) {
        let Stage::Member { channel, partner } = connections[client].stage else { return };
        if let Some(partner) = partner {
            connections[partner].stage = Stage::Member { channel, partner: None };
        }
        let members = &mut self.channels[channel].members;
        members.retain(|(_, member)| *member != client);
        if members.is_empty() {
            let Channel { name, .. } = self.channels.remove(channel);
            self.by_name.remove(&name);
        }
    }
}

/// Who is to offer to the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offerer {
    /// The one who was there, as with us.
    Recipient,
    Other,
}

/// Frames that are as long as our `addPeer`, and differ by the number of the peer only.
struct Notice {
    frame: Vec<u8>,
    digits: usize,
}

impl Notice {
    fn new(channel: &[u8], connection_id: &str, offerer: Offerer) -> Self {
        let channel = String::from_utf8_lossy(channel);
        let offers = offerer == Offerer::Recipient;
        let text = format!(
            r#"{{"type":"addPeer","channel":"{channel}","peer_id":"{PEER}{DIGITS}","should_create_offer":{offers},"connection_id":"{connection_id}","userdata":null}}"#
        );
        let mut frame = Vec::new();
        frame::write(&mut frame, text.as_bytes());
        let digits = frame.windows(DIGITS.len()).rposition(|window| window == DIGITS.as_bytes());
        Self { frame, digits: digits.expect("a place for the number") }
    }

    fn about(&mut self, mut number: u32) -> &[u8] {
        for digit in self.frame[self.digits..][..DIGITS.len()].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        &self.frame
    }
}

/// A peer id of ours has 22 characters.
const PEER: &str = "Zk3pX0vTqYd1mWb8Rh";
const DIGITS: &str = "####";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket;

    #[test]
    fn notices_are_as_long_as_ours_and_tell_who_it_is() {
        let mut notice = Notice::new(b"room", "9f3c61d2a07be458.17", Offerer::Recipient);
        let ours = r#"{"type":"addPeer","channel":"room","peer_id":"Zk3pX0vTqYd1mWb8RhLs2g","should_create_offer":true,"connection_id":"9f3c61d2a07be458.17","userdata":null}"#;
        let parsed = websocket::parse(notice.about(3)).unwrap().unwrap();
        let text = str::from_utf8(&notice.frame[parsed.payload]).unwrap();
        assert_eq!(text.len(), ours.len());
        assert!(text.contains(r#""peer_id":"Zk3pX0vTqYd1mWb8Rh0003""#), "{text}");
    }
}
