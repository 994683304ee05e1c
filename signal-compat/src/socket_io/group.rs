//! What a client of the group chat knows of the others.

use std::{borrow::Cow, collections::HashMap};

use serde::Deserialize;

/// In which channels a client knows each peer. It has one connection with each, and ends that with the first `removePeer`, be
/// there other channels in which both are. So it is told when the first channel begins, and when the last one ends.
#[derive(Default)]
pub(super) struct Known(HashMap<Box<str>, Vec<Box<str>>>);

impl Known {
    /// Whether the client is told this packet.
    pub(super) fn lets_through(&mut self, packet: &str) -> bool {
        if let Some(About { peer_id, channel }) = about(packet, "2[\"addPeer\",") {
            let channels = self.0.entry((*peer_id).into()).or_default();
            if !channels.iter().any(|known| **known == *channel) {
                channels.push((*channel).into());
                return channels.len() == 1;
            }
            // It is told again of whom it knows, as it has joined again.
            return false;
        }
        if let Some(About { peer_id, channel }) = about(packet, "2[\"removePeer\",")
            && let Some(channels) = self.0.get_mut(&*peer_id)
        {
            channels.retain(|known| **known != *channel);
            if !channels.is_empty() {
                return false;
            }
            self.0.remove(&*peer_id);
        }
        true
    }
}

#[derive(Deserialize)]
struct About<'p> {
    #[serde(borrow)]
    peer_id: Cow<'p, str>,
    #[serde(borrow)]
    channel: Cow<'p, str>,
}

/// Whom a packet is about that begins so, and where.
fn about<'p>(packet: &'p str, start: &str) -> Option<About<'p>> {
    serde_json::from_str(packet.strip_prefix(start)?.strip_suffix(']')?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_added_with_the_first_channel_and_removed_with_the_last() {
        let mut known = Known::default();
        let packet =
            |event: &str, channel: &str| format!(r#"2["{event}",{{"peer_id":"a","channel":"{channel}"}}]"#);
        for _ in 0..2 {
            let told = [
                ("addPeer", "tea"),
                ("addPeer", "coffee"),
                // A second join.
                ("addPeer", "tea"),
                ("removePeer", "tea"),
                ("removePeer", "coffee"),
            ]
            .map(|(event, channel)| known.lets_through(&packet(event, channel)));
            assert_eq!(told, [true, false, false, false, true]);
        }
        assert!(known.lets_through(r#"2["iceCandidate",{"peer_id":"a"}]"#));
    }
}
