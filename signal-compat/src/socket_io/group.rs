//! What a client of the group chat knows of the others.

use std::{borrow::Cow, collections::HashMap};

use serde::Deserialize;

/// In how many channels a client knows each peer. It has one connection with each, and ends that with the first `removePeer`,
/// be there other channels in which both are. So it is told when the first channel begins, and when the last one ends.
#[derive(Default)]
pub(super) struct Known(HashMap<Box<str>, u32>);

impl Known {
    /// Whether the client is told this packet.
    pub(super) fn lets_through(&mut self, packet: &str) -> bool {
        if let Some(peer) = peer_of(packet, "2[\"addPeer\",") {
            let channels = self.0.entry(peer.into()).or_default();
            *channels += 1;
            return *channels == 1;
        }
        if let Some(peer) = peer_of(packet, "2[\"removePeer\",")
            && let Some(channels) = self.0.get_mut(&*peer)
        {
            *channels -= 1;
            if *channels > 0 {
                return false;
            }
            self.0.remove(&*peer);
        }
        true
    }
}

/// Whom a packet is about that begins so.
fn peer_of<'p>(packet: &'p str, start: &str) -> Option<Cow<'p, str>> {
    #[derive(Deserialize)]
    struct About<'p> {
        #[serde(borrow)]
        peer_id: Cow<'p, str>,
    }
    let about = packet.strip_prefix(start)?.strip_suffix(']')?;
    serde_json::from_str(about).ok().map(|About { peer_id }| peer_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_added_with_the_first_channel_and_removed_with_the_last() {
        let mut known = Known::default();
        let added = r#"2["addPeer",{"peer_id":"a","should_create_offer":true}]"#;
        let removed = r#"2["removePeer",{"peer_id":"a"}]"#;
        for _ in 0..2 {
            let told = [added, added, removed, removed].map(|packet| known.lets_through(packet));
            assert_eq!(told, [true, false, false, true]);
        }
        assert!(known.lets_through(r#"2["addPeer",{"peer_id":"b"}]"#));
        assert!(known.lets_through(r#"2["iceCandidate",{"peer_id":"a"}]"#));
    }
}
