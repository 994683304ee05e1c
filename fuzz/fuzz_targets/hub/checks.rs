//! What holds when the log has been heard by all.

use std::collections::BTreeSet;

use signal_core::{Channel, Topology};

use crate::{client::Client, world::World};

impl World {
    pub(crate) fn check_at_rest(&self) {
        for machine in &self.machines {
            for client in machine.live_clients() {
                for (name, known) in &client.channels {
                    let channel = machine.hub.channel(name).expect("it is in the channel");
                    let known: BTreeSet<_> = known.keys().map(String::as_str).collect();
                    assert_eq!(known, introduced(channel, &client.peer), "{} in {name}", client.peer);
                }
            }
            self.check_replay(machine);
        }
        self.check_pairs();
    }

    /// Both machines have made the same of the log, and so has who replays it.
    fn check_replay(&self, machine: &crate::machine::Machine) {
        for (name, channel) in &self.replayed {
            assert_eq!(machine.hub.channel(name.as_str()), Some(channel), "{name}");
        }
        for (name, channel) in machine.hub.channels() {
            let is_known = self.replayed.contains_key(name) || name.is_of_a_match();
            assert!(is_known && channel.members().len() <= channel.settings().capacity as usize, "{name}");
        }
        for (name, pool) in &self.pools {
            assert_eq!(machine.hub.pool(name.as_str()), Some(pool), "{name}");
        }
        assert_eq!(machine.hub.counts().pools, self.pools.len());
    }

    /// Two who are in one channel know each other or neither does; they agree on the connection, and one offers.
    fn check_pairs(&self) {
        let all: Vec<&Client> = self.machines.iter().flat_map(|machine| machine.live_clients()).collect();
        for one in &all {
            for other in &all {
                for (name, known) in &one.channels {
                    let Some(view) = other.channels.get(name) else { continue };
                    match (known.get(&other.peer), view.get(&one.peer)) {
                        (Some(there), Some(back)) => {
                            assert_eq!(there.connection_id, back.connection_id);
                            assert_ne!(
                                there.role, back.role,
                                "one of {} and {} offers",
                                one.peer, other.peer
                            );
                        }
                        (None, None) => {}
                        (there, back) => panic!("{} and {}: {there:?}, {back:?}", one.peer, other.peer),
                    }
                }
            }
        }
    }
}

/// Who a member is introduced to.
fn introduced<'c>(channel: &'c Channel, own: &str) -> BTreeSet<&'c str> {
    let host = channel.host().map(|host| host.as_str());
    let meets = |other: &&str| match channel.settings().topology {
        Topology::Mesh => true,
        Topology::Star => host == Some(own) || host == Some(*other),
        Topology::Unlisted => false,
    };
    let members = channel.members().iter().map(|member| member.peer.as_str());
    members.filter(|other| *other != own).filter(meets).collect()
}
