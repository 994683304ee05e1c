//! What holds after each input.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CHANNELS,
    client::{Client, Introduction},
    hosting, settings,
    world::{Append, World},
};
use crate::{
    Channel, ChannelName, ChannelSnapshot, Entry, FirstOffer, Hosting, OwnedPayload, Position, Role,
    ServerMessage, SessionId, Topology, codec,
};

#[derive(Clone, Debug)]
pub(super) struct Member {
    peer: String,
    joined_at: u64,
    userdata: Option<String>,
    identity: Option<String>,
}

impl World {
    /// What is said in a channel is said once, to all others who know that they are in it.
    pub(super) fn check_what_was_said(&self) {
        for (to, text) in &self.desk.said {
            let frame = codec::decode_server(text).unwrap();
            if let Some(ServerMessage::Message { peer_id, channel: Some(channel), .. }) = frame.message() {
                let meets_the_sender = |view: &BTreeMap<String, Introduction>| {
                    peer_id.is_none() || self.knows_all(&channel, peer_id.as_deref()) || {
                        view.contains_key(peer_id.as_deref().unwrap())
                    }
                };
                let members = self
                    .desk
                    .live_clients()
                    .filter(|client| client.channels.get(&*channel).is_some_and(meets_the_sender));
                let peers = members.map(|client| &*client.peer);
                let others = peers.filter(|peer| Some(*peer) != peer_id.as_deref());
                assert_eq!(
                    to.iter().map(|name| &**name).collect::<BTreeSet<_>>(),
                    others.collect(),
                    "{text}"
                );
            }
        }
    }

    /// One entry of a peer in a channel is on its way at a time, and it fits what has been committed before: so no
    /// part overtakes its join.
    pub(super) fn check_append(&self, channel: &ChannelName, entry: &Entry) {
        let same = |append: &&Append| append.channel == *channel && append.entry.peer() == entry.peer();
        assert!(!self.appends.iter().any(|append| same(&append)), "{entry:?} overtakes another");
        let is_member = self.member(channel.as_str(), entry.peer().as_str()).is_some();
        assert_eq!(is_member, !matches!(entry, Entry::Join { .. }), "{entry:?}");
    }

    pub(super) fn check_that_all_is_answered(&self) {
        for client in self.desk.live_clients() {
            assert!(client.waits_for.is_empty(), "{} waits for {:?}", client.peer, client.waits_for);
        }
    }

    /// Each client's view is what the log says, seen from its place.
    pub(super) fn check_views(&self) {
        for client in self.desk.live_clients() {
            client.check_at_rest();
            for channel in CHANNELS {
                match (self.member(channel, &client.peer), client.channels.get(channel)) {
                    (Some(own), Some(known)) => assert_eq!(*known, self.introductions(channel, own)),
                    (None, None) => {}
                    (Some(_), None) => self.check_that_the_seat_is_given_back(channel, client),
                    (None, Some(_)) => panic!("{} believes to be in {channel}", client.peer),
                }
            }
        }
        self.check_seats();
        self.check_pairs();
        self.check_hub();
    }

    /// The embedder knows of the same seats as the clients.
    fn check_seats(&self) {
        let known = (0..).map(SessionId).zip(&self.desk.clients).flat_map(|(session, client)| {
            let channels =
                client.iter().filter(|client| !client.is_over).flat_map(|client| client.channels.keys());
            channels.map(move |channel| (session, channel.clone()))
        });
        assert_eq!(self.desk.seats, known.collect());
    }

    /// What a member is to know of the others, by the rules of introductions.
    fn introductions(&self, channel: &str, own: &Member) -> BTreeMap<String, Introduction> {
        let settings = settings(channel);
        let others = self.channels[channel].iter();
        let others = others.filter(|other| {
            let meet = self.knows_all(channel, Some(&own.peer)) || self.knows_all(channel, Some(&other.peer));
            other.peer != own.peer && settings.topology != Topology::Unlisted && meet
        });
        let introduction = |other: &Member| {
            let (host, since) = self.host_of(channel);
            let joined = own.joined_at.max(other.joined_at);
            let is_newcomer = match host {
                Some(host) if joined <= since => own.peer == host,
                _ => own.joined_at == joined,
            };
            let offers = is_newcomer == (settings.first_offer == FirstOffer::Newcomer);
            Introduction {
                connection_id: format!("7.{}", joined.max(since)),
                role: if offers { Role::Offerer } else { Role::Answerer },
                userdata: other.userdata.clone().unwrap_or_else(|| "null".to_owned()),
                identity: other.identity.clone(),
                is_host: host == Some(&*other.peer),
            }
        };
        others.map(|other| (other.peer.clone(), introduction(other))).collect()
    }

    fn host_of(&self, channel: &str) -> (Option<&str>, u64) {
        let host = self.host.as_ref().filter(|_| settings(channel).topology == Topology::Star);
        host.map_or((None, 0), |(host, since)| (Some(&**host), *since))
    }

    /// Whether everybody in the channel is introduced to this peer, or would be.
    fn knows_all(&self, channel: &str, peer: Option<&str>) -> bool {
        settings(channel).topology != Topology::Star || (peer.is_some() && self.host_of(channel).0 == peer)
    }

    /// A member that does not know it was told `unavailable`, and its part is on its way.
    fn check_that_the_seat_is_given_back(&self, channel: &str, client: &Client) {
        assert!(client.in_doubt.contains(channel), "{} has a seat in {channel} and is not told", client.peer);
        let gives_back = |append: &Append| {
            append.channel.as_str() == channel
                && matches!(&append.entry, Entry::Part { peer, .. } if peer.as_str() == client.peer)
        };
        let will_try_again = self.hub.poll_timeout().is_some();
        assert!(self.appends.iter().any(gives_back) || will_try_again, "{} keeps a seat", client.peer);
    }

    /// Two clients in one channel know each other or neither does; they agree on the connection id, and one offers.
    fn check_pairs(&self) {
        for one in self.desk.live_clients() {
            for (channel, peers) in &one.channels {
                for (peer, known) in peers {
                    let Some((_, other)) = self.desk.client(peer).filter(|(_, other)| !other.is_over) else {
                        continue;
                    };
                    let Some(view) = other.channels.get(channel) else { continue };
                    let back = view.get(&one.peer).expect("both are introduced");
                    assert!(!(known.is_host && back.is_host), "one host");
                    assert_eq!(known.connection_id, back.connection_id);
                    assert_ne!(known.role, back.role, "one of {} and {peer} offers", one.peer);
                }
            }
        }
    }

    /// The hub's state is that of the log.
    fn check_hub(&self) {
        let listed: BTreeSet<_> = self.hub.channels().map(|(name, _)| name.as_str()).collect();
        let with_members = self.channels.iter().filter(|(_, members)| !members.is_empty());
        assert_eq!(listed, with_members.map(|(name, _)| name.as_str()).collect());
        for (name, channel) in self.hub.channels() {
            let members = channel.members().iter().map(|member| (member.peer.as_str(), member.joined_at.0));
            let expected =
                self.channels[name.as_str()].iter().map(|member| (&*member.peer, member.joined_at));
            assert!(members.eq(expected), "{channel:?}");
            assert!(channel.members().len() <= settings(name.as_str()).capacity as usize);
        }
    }

    /// A snapshot and what follows it give the same channel as everything from the start, and as the hub has.
    pub(super) fn check_replay(&self, cut: usize) {
        for (name, entries) in &self.committed {
            let replay = |mut channel: Channel, entries: &[(Position, Entry)]| {
                entries.iter().for_each(|(position, entry)| {
                    channel.replay(*position, entry.clone());
                });
                channel
            };
            let (before, after) = entries.split_at(cut.min(entries.len()));
            let text = serde_json::to_string(&replay(Channel::default(), before).snapshot()).unwrap();
            let snapshot: ChannelSnapshot = serde_json::from_str(&text).unwrap();
            let restored = replay(Channel::from_snapshot(snapshot), after);
            assert_eq!(restored, replay(Channel::default(), entries));
            assert_eq!(restored, replay(restored.clone(), entries), "what is old has no effect");
            if let Some(channel) = self.hub.channel(name) {
                assert_eq!(*channel, restored);
            }
        }
    }

    pub(super) fn member(&self, channel: &str, peer: &str) -> Option<&Member> {
        self.channels.get(channel)?.iter().find(|member| member.peer == peer)
    }
}

/// Who is the host of the stage after an entry.
pub(super) fn appoint(host: &mut Option<(String, u64)>, members: &[Member], position: u64) {
    host.take_if(|(host, _)| !members.iter().any(|member| member.peer == *host));
    if host.is_none() {
        let next = members.iter().find(|member| hosting(&member.peer) == Hosting::Candidate);
        *host = next.map(|member| (member.peer.clone(), position));
    }
}

/// What an entry does to a channel.
pub(super) fn apply(members: &mut Vec<Member>, capacity: usize, position: u64, entry: &Entry) {
    let index = members.iter().position(|member| member.peer == entry.peer().as_str());
    let text = |userdata: &OwnedPayload| userdata.to_string();
    match (entry, index) {
        (Entry::Join { peer, identity, userdata, .. }, None) if members.len() < capacity => {
            let (peer, identity) = (peer.to_string(), identity.as_deref().map(ToOwned::to_owned));
            let userdata = userdata.as_ref().map(text);
            members.push(Member { peer, joined_at: position, userdata, identity });
        }
        (Entry::Part { .. }, Some(index)) => {
            members.remove(index);
        }
        (Entry::Update { userdata, .. }, Some(index)) => members[index].userdata = Some(text(userdata)),
        (Entry::Join { .. } | Entry::Part { .. } | Entry::Update { .. }, _) => {}
        (Entry::Match { .. } | Entry::Widen { .. } | Entry::Cancel { .. }, _) => {
            panic!("strangers have a model of their own")
        }
    }
}
