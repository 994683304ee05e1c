//! What must hold when everything has come to rest, and when all have left.

use std::collections::{BTreeMap, BTreeSet};

use signal_core::Topology;

use super::{
    plan,
    session::{Heard, Said, Session},
    stage::{Book, Stage},
    view::Asked,
};
use crate::{ChannelInfo, MemberInfo};

/// All clients are there, the network works, and nothing has happened for a while.
pub(super) fn check_at_rest(stage: &Stage) {
    let signaling = stage.signaling().expect("the server runs");
    let book = stage.book();
    let live: Vec<&Session> = book.sessions.iter().filter(|session| !session.is_over).collect();
    assert_eq!(live.len(), stage.plan.clients, "each client has a session");
    let peers: BTreeSet<_> = signaling.peers().iter().map(ToString::to_string).collect();
    assert_eq!(peers, live.iter().map(|session| session.peer.clone()).collect(), "and nobody else has one");
    for session in &live {
        session.view.check_at_rest();
        assert_eq!(session.kept.len(), 0, "the server has acknowledged everything");
    }
    let state = signaling.shared.lock();
    for (_, link) in &state.links {
        let link_state = link.lock();
        assert!(link_state.outbox.is_empty(), "{} has acknowledged everything", link.peer.as_str());
        let session = live.iter().find(|session| session.peer == link.peer.as_str()).expect("it is live");
        assert_eq!(link_state.received, session.sent, "both have counted the same");
    }
    drop(state);
    let channels = signaling.channels();
    for session in &live {
        let is_member = |info: &&ChannelInfo| info.members.iter().any(|member| is_of(member, session));
        let joined: BTreeSet<_> =
            channels.iter().filter(is_member).map(|info| info.name.to_string()).collect();
        let believed: BTreeSet<_> = session.view.channels.keys().cloned().collect();
        assert_eq!(joined, believed, "{} knows where it is", session.peer);
    }
    for info in &channels {
        check_channel(info, &live);
    }
    check_deliveries(&book);
}

fn is_of(member: &MemberInfo, session: &Session) -> bool {
    member.peer.as_str() == session.peer
}

/// Each pair is introduced once, with one id and one offerer; in a star the host and all others are.
fn check_channel(info: &ChannelInfo, live: &[&Session]) {
    let name = info.name.as_str();
    let member = |info: &MemberInfo| *live.iter().find(|session| is_of(info, session)).expect("it is live");
    let known = |session: &Session| session.view.channels[name].len();
    let others = info.members.len() - 1;
    let hosts = info.members.iter().filter(|info| known(member(info)) == others).count();
    match plan::settings(name).topology {
        Topology::Star => assert!(hosts == 1 || others <= 1, "{name} has {hosts} hosts"),
        Topology::Mesh | Topology::Unlisted => assert_eq!(hosts, others + 1, "all know each other in {name}"),
    }
    for one in &info.members {
        let own = member(one);
        for (peer, introduction) in &own.view.channels[name] {
            let other = live.iter().find(|session| session.peer == *peer).expect("somebody who is there");
            let back = other.view.channels[name].get(&own.peer).expect("both are introduced");
            assert_eq!(introduction.connection_id, back.connection_id);
            assert_ne!(introduction.role, back.role, "one of {} and {peer} offers", own.peer);
            let userdata = back.userdata.as_str();
            assert_eq!(userdata, one.userdata.as_deref().unwrap_or("null"), "what is known of {}", own.peer);
        }
    }
}

/// Everything that was passed on has arrived where it should, once and in order.
fn check_deliveries(book: &Book) {
    for to in &book.sessions {
        let mut heard: BTreeMap<usize, Vec<&Heard>> = BTreeMap::new();
        for message in &to.heard {
            heard.entry(message.session).or_default().push(message);
        }
        for from in book.sessions.iter().filter(|from| from.life == to.life && from.number != to.number) {
            let heard = heard.remove(&from.number).unwrap_or_default();
            check_stream(from, to, &heard);
        }
        assert_eq!(heard, BTreeMap::new(), "{} hears from another life", to.peer);
    }
}

fn check_stream(from: &Session, to: &Session, heard: &[&Heard]) {
    let streams: BTreeSet<_> = heard.iter().map(|heard| &heard.channel).collect();
    for channel in streams {
        let numbers: Vec<_> =
            heard.iter().filter(|heard| heard.channel == *channel).map(|heard| heard.number).collect();
        let in_order = numbers.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(in_order, "{} hears {} in {channel:?}: {numbers:?}", to.peer, from.peer);
    }
    let last_direct = heard.iter().filter(|heard| heard.channel.is_none()).map(|heard| heard.number).max();
    for message in heard {
        let said = from.said.get(&message.number).expect("it was said");
        let fits = match (&said.to, &message.channel) {
            (Asked::Say(name), Some(channel)) => name == channel,
            (Asked::Tell(peer, _), None) => *peer == to.peer,
            _ => false,
        };
        assert!(fits && said.outcome != Some(false), "{} hears {}: {said:?}", to.peer, from.peer);
    }
    let numbers: BTreeSet<_> = heard.iter().map(|heard| heard.number).collect();
    for (number, said) in from.said.iter().filter(|(_, said)| said.outcome == Some(true)) {
        let must_arrive = match &said.to {
            Asked::Tell(peer, _) => {
                *peer == to.peer && (!to.is_over || last_direct.is_some_and(|last| *number < last))
            }
            Asked::Say(channel) => !to.is_over && is_still_introduced(from, to, channel, said),
            Asked::Join(_)
            | Asked::Part(_)
            | Asked::Set(_)
            | Asked::Match
            | Asked::Cancel
            | Asked::Rubbish => false,
        };
        let arrives = numbers.contains(number);
        assert!(arrives || !must_arrive, "{} has not heard {number} of {}: {said:?}", to.peer, from.peer);
    }
}

/// Whether the introduction by which `from` knew `to` when it spoke has never ended.
fn is_still_introduced(from: &Session, to: &Session, channel: &str, said: &Said) -> bool {
    let then = said.known.iter().find(|(peer, _)| *peer == to.peer);
    let now = to.view.channels.get(channel).and_then(|known| known.get(&from.peer));
    then.zip(now).is_some_and(|((_, then), now)| *then == now.connection_id)
}

/// Everybody has left, and all times are over.
pub(super) fn check_that_nothing_is_left(stage: &Stage) {
    let signaling = stage.signaling().expect("the server runs");
    let state = signaling.shared.lock();
    assert!(state.hub.is_empty(), "{:?}", state.hub);
    assert!(state.links.is_empty(), "{} links are left", state.links.len());
    assert_eq!(signaling.shared.tasks.len(), 0, "tasks are left");
}
