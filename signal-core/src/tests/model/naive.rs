//! What a hub over `LocalLog` says, worked out the simplest way there is.

use std::{collections::BTreeMap, iter};

use super::{CHANNELS, Connection, Op, PEERS, Relayed, Step, VIEWERS, settings};
use crate::{EndReason, FirstOffer, Topology, tests::transcript};

/// Channels with their members in join order, sessions by number, and lines.
#[derive(Default)]
pub(super) struct Naive {
    channels: BTreeMap<&'static str, Vec<Member>>,
    sessions: Vec<Option<Session>>,
    position: u64,
    /// The host of the stage, and since which position.
    host: Option<(&'static str, u64)>,
    /// In milliseconds.
    now: u64,
    lines: Vec<String>,
}

#[derive(Clone)]
struct Member {
    peer: &'static str,
    joined_at: u64,
    userdata: Option<u8>,
}

struct Session {
    peer: &'static str,
    ends_at: Option<u64>,
    rubbish: Vec<u64>,
}

impl Naive {
    /// The script that the steps make, and the transcript that follows from it.
    pub(super) fn foretell(steps: &[Step]) -> (String, String) {
        let mut naive = Self::default();
        let mut script = "show ids\n".to_owned();
        for channel in CHANNELS {
            let settings = settings(channel);
            let resident = if settings.first_offer == FirstOffer::Resident { ", resident" } else { "" };
            let topology = match settings.topology {
                Topology::Mesh => String::new(),
                Topology::Star => format!(", star, viewers {}", VIEWERS.join(" ")),
                Topology::Unlisted => ", unlisted".to_owned(),
            };
            script += &format!("policy for {channel}: capacity {}{resident}{topology}\n", settings.capacity);
        }
        for (number, (op, wants_answer)) in steps.iter().enumerate() {
            let id = if *wants_answer { format!(" #{number}") } else { String::new() };
            if let Some(statement) = naive.perform(op, number, &id) {
                script += &format!("{statement}{}\n", if statement.contains(": ") { &id } else { "" });
            }
        }
        (script, transcript::joined_lines(&naive.lines))
    }

    /// The statement for an operation, if it makes sense; its effects are noted.
    fn perform(&mut self, op: &Op, number: usize, id: &str) -> Option<String> {
        Some(match *op {
            Op::Join { peer, channel, userdata } => {
                let (peer, channel) = (self.connected(peer), CHANNELS[channel]);
                self.join(peer, channel, userdata, id);
                let userdata = userdata.map_or(String::new(), |value| format!(" {value}"));
                format!("{peer}: join {channel}{userdata}")
            }
            Op::Part { peer, channel } => {
                let (peer, channel) = (self.connected(peer), CHANNELS[channel]);
                if !self.part(peer, channel, EndReason::Parted, Some(id)) {
                    self.line(peer, &format!("parted {channel}{id}"));
                }
                format!("{peer}: part {channel}")
            }
            Op::Set { peer, channel, userdata } => {
                let (peer, channel) = (self.connected(peer), CHANNELS[channel]);
                if self.set(peer, channel, userdata) {
                    self.confirm(peer, id);
                } else {
                    self.line(peer, &format!("error not_joined in {channel}{id}"));
                }
                format!("{peer}: set {channel} {userdata}")
            }
            Op::Say { peer, channel } => {
                let (peer, channel) = (self.connected(peer), CHANNELS[channel]);
                if self.member(peer, channel).is_some() {
                    self.tell_others(peer, channel, &format!("message from {peer} in {channel}: {number}"));
                    self.confirm(peer, id);
                } else {
                    self.line(peer, &format!("error not_joined in {channel}{id}"));
                }
                format!("{peer}: say {channel} {number}")
            }
            Op::Tell { peer, to } => {
                let (peer, to) = (self.connected(peer), PEERS[to]);
                self.relay(peer, to, None, &format!("message from {peer}: {number}"), id);
                format!("{peer}: tell {to} {number}")
            }
            Op::Relay { peer, to, what, connection } => {
                let (peer, to) = (self.connected(peer), PEERS[to]);
                let position = self.connection(peer, to, connection);
                let what = match what {
                    Relayed::Offer => "offer",
                    Relayed::Candidate => "candidate",
                };
                let connection = connection_id(position);
                self.relay(
                    peer,
                    to,
                    position,
                    &format!("{what} from {peer}{connection} attempt {number}"),
                    id,
                );
                format!("{peer}: relay {what} {to}{connection} attempt {number}")
            }
            Op::Rubbish { peer } => {
                let peer = self.connected(peer);
                self.rubbish(peer, id);
                format!("{peer}: rubbish")
            }
            Op::Bye { peer } => {
                let peer = self.connected(peer);
                self.lines.push(format!("close {peer}: 1000 bye"));
                self.end(peer, EndReason::Bye);
                format!("{peer}: bye")
            }
            Op::Detach { peer } => {
                // No two sessions end at the same moment, or this model would have to know the order of outputs.
                self.wait(1);
                let ends_at = self.now + 15_000;
                let Some(session) = self.session(PEERS[peer]) else { return Some("wait 1ms".to_owned()) };
                session.ends_at.get_or_insert(ends_at);
                format!("wait 1ms / {} detaches", session.peer)
            }
            Op::Resume { peer } => {
                let session = self.session(PEERS[peer])?;
                session.ends_at = None;
                format!("{} resumes", session.peer)
            }
            Op::End { peer, reason } => {
                let peer = self.session(PEERS[peer])?.peer;
                self.end(peer, reason);
                format!("{peer} ends {}", reason.as_str())
            }
            Op::Kick { peer, channel } => {
                let peer = self.session(PEERS[peer])?.peer;
                self.part(peer, CHANNELS[channel], EndReason::Kicked, Some(""));
                format!("kick {peer} {}", CHANNELS[channel])
            }
            Op::Publish { channel } => {
                self.tell_others(
                    "",
                    CHANNELS[channel],
                    &format!("message in {}: {number}", CHANNELS[channel]),
                );
                format!("publish {} {number}", CHANNELS[channel])
            }
            Op::Wait { seconds } => {
                self.wait(1000 * seconds);
                format!("wait {seconds}s")
            }
            Op::Remote { .. } => return None,
        })
    }

    fn join(&mut self, peer: &'static str, channel: &'static str, userdata: Option<u8>, id: &str) {
        if self.member(peer, channel).is_some() {
            userdata.map(|userdata| self.set(peer, channel, userdata));
            return self.answer_join(peer, channel, id);
        }
        if CHANNELS.iter().filter(|other| self.member(peer, other).is_some()).count() >= 2 {
            return self.line(peer, &format!("error limit in {channel}{id}"));
        }
        self.position += 1;
        let (members, joined_at) = (self.channels.entry(channel).or_default(), self.position);
        if members.len() >= settings(channel).capacity as usize {
            return self.line(peer, &format!("error channel_full in {channel}{id}"));
        }
        members.push(Member { peer, joined_at, userdata });
        self.appoint_host(channel);
        let residents = self.met(peer, channel);
        if let Some(resident) = residents.first() {
            self.line(&residents.join(" "), &self.add_peer(channel, peer, resident));
        }
        self.answer_join(peer, channel, id);
    }

    fn answer_join(&mut self, peer: &str, channel: &str, id: &str) {
        let others = self.met(peer, channel);
        let plural = if others.len() == 1 { "" } else { "s" };
        self.line(peer, &format!("joined {channel}, {} peer{plural}{id}", others.len()));
        for other in others {
            self.line(peer, &self.add_peer(channel, other, peer));
        }
    }

    /// Takes a member out, if it is one, and tells everyone. Nothing is told to it when its session is over.
    fn part(
        &mut self,
        peer: &'static str,
        channel: &'static str,
        reason: EndReason,
        id: Option<&str>,
    ) -> bool {
        if self.member(peer, channel).is_none() {
            return false;
        }
        self.position += 1;
        let remove_peer = |gone: &str| format!("removePeer {gone} from {channel}, {}", reason.as_str());
        let left = self.met(peer, channel);
        if !left.is_empty() {
            self.line(&left.join(" "), &remove_peer(peer));
        }
        self.channels.get_mut(channel).unwrap().retain(|member| member.peer != peer);
        if let Some(host) = self.appoint_host(channel) {
            let others = self.met(host, channel);
            if let Some(other) = others.first() {
                self.line(&others.join(" "), &self.add_peer(channel, host, other));
            }
            for other in others {
                self.line(host, &self.add_peer(channel, other, host));
            }
        }
        if let Some(id) = id {
            self.line(peer, &format!("parted {channel}{id}"));
            left.iter().for_each(|other| self.line(peer, &remove_peer(other)));
        }
        true
    }

    fn set(&mut self, peer: &str, channel: &str, userdata: u8) -> bool {
        let members = self.channels.get_mut(channel).map_or(&mut [][..], |members| members);
        let Some(member) = members.iter_mut().find(|member| member.peer == peer) else { return false };
        member.userdata = Some(userdata);
        self.position += 1;
        let met = self.met(peer, channel);
        if !met.is_empty() {
            self.line(&met.join(" "), &format!("userdata of {peer} in {channel}: {userdata}"));
        }
        true
    }

    fn relay(&mut self, from: &str, to: &str, connection: Option<u64>, message: &str, id: &str) {
        let shared = self.shared(from, to);
        let error = |code| format!("error {code} for {to}{}{id}", connection_id(connection));
        if shared.is_empty() {
            self.line(from, &error("unknown_peer"));
        } else if connection.is_some() && !shared.contains(&connection) {
            self.line(from, &error("stale_connection"));
        } else {
            self.line(to, message);
            self.confirm(from, id);
        }
    }

    /// For each channel that both are in: the position of their introduction, if they are introduced there.
    fn shared(&self, one: &str, other: &str) -> Vec<Option<u64>> {
        let introduction = |channel| {
            let _ = (self.member(one, channel)?, self.member(other, channel)?);
            match settings(channel).topology {
                Topology::Unlisted => Some(None),
                Topology::Mesh | Topology::Star => {
                    self.introduction(channel, one, other).map(|(position, _)| Some(position))
                }
            }
        };
        CHANNELS.into_iter().filter(|_| one != other).filter_map(introduction).collect()
    }

    fn connection(&self, one: &str, other: &str, connection: Connection) -> Option<u64> {
        match connection {
            Connection::Absent => None,
            Connection::At(position) => Some(position),
            Connection::Of(channel) => {
                let members = (self.member(one, CHANNELS[channel])?, self.member(other, CHANNELS[channel])?);
                Some(members.0.joined_at.max(members.1.joined_at))
            }
        }
    }

    fn rubbish(&mut self, peer: &'static str, id: &str) {
        let now = self.now;
        let session = self.session(peer).unwrap();
        session.rubbish.push(now);
        let recent = session.rubbish.iter().filter(|then| now - **then < 10_000).count();
        self.line(peer, &format!("error bad_message{id}"));
        if recent >= 20 {
            self.lines.push(format!("close {peer}: 4005 protocol"));
            self.end(peer, EndReason::Closed);
        }
    }

    fn end(&mut self, peer: &'static str, reason: EndReason) {
        let joined_at = |naive: &Self, channel| naive.member(peer, channel).map(|member| member.joined_at);
        let mut channels = CHANNELS.to_vec();
        channels.sort_by_key(|channel| joined_at(self, channel));
        for channel in channels {
            self.part(peer, channel, reason, None);
        }
        self.lines.push(format!("{peer} ended: {}", reason.as_str()));
        let number =
            self.sessions.iter().position(|session| session.as_ref().is_some_and(|s| s.peer == peer));
        self.sessions[number.unwrap()] = None;
    }

    fn wait(&mut self, time: u64) {
        let until = self.now + time;
        let next = |naive: &Self| {
            let live = naive.sessions.iter().flatten();
            live.filter_map(|session| Some((session.ends_at?, session.peer)))
                .filter(|(ends_at, _)| *ends_at <= until)
                .min_by_key(|(ends_at, _)| *ends_at)
        };
        while let Some((ends_at, peer)) = next(self) {
            self.now = ends_at;
            self.end(peer, EndReason::Timeout);
        }
        self.now = until;
    }

    /// The peer, with the smallest free session number if it has none.
    fn connected(&mut self, peer: usize) -> &'static str {
        let peer = PEERS[peer];
        if self.session(peer).is_none() {
            let free = self.sessions.iter().position(Option::is_none).unwrap_or(self.sessions.len());
            self.sessions.extend(iter::repeat_with(|| None).take(usize::from(free == self.sessions.len())));
            self.sessions[free] = Some(Session { peer, ends_at: None, rubbish: Vec::new() });
        }
        peer
    }

    fn session(&mut self, peer: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().flatten().find(|session| session.peer == peer)
    }

    fn member(&self, peer: &str, channel: &str) -> Option<&Member> {
        self.channels.get(channel)?.iter().find(|member| member.peer == peer)
    }

    fn tell_others(&mut self, peer: &str, channel: &str, text: &str) {
        let members = self.channels.get(channel).into_iter().flatten();
        let others = members.map(|member| member.peer).filter(|other| *other != peer);
        let is_star = settings(channel).topology == Topology::Star && !peer.is_empty();
        let others: Vec<_> =
            others.filter(|other| !is_star || self.introduction(channel, peer, other).is_some()).collect();
        if !others.is_empty() {
            self.line(&others.join(" "), text);
        }
    }

    /// Whom a member is introduced to, in join order.
    fn met(&self, peer: &str, channel: &str) -> Vec<&'static str> {
        let others = self.channels.get(channel).into_iter().flatten().map(|member| member.peer);
        others.filter(|other| self.introduction(channel, peer, other).is_some()).collect()
    }

    /// The position of the introduction of two members, and which of them has come by it.
    fn introduction<'p>(&self, channel: &str, one: &'p str, other: &'p str) -> Option<(u64, &'p str)> {
        let joined = |peer| self.member(peer, channel).map(|member| member.joined_at);
        let (mine, theirs) = (joined(one)?, joined(other)?);
        let (last, position) = if mine > theirs { (one, mine) } else { (other, theirs) };
        let (host, since) = self.host.unwrap_or(("", 0));
        match settings(channel).topology {
            _ if one == other => None,
            Topology::Unlisted => None,
            Topology::Mesh => Some((position, last)),
            Topology::Star if one != host && other != host => None,
            Topology::Star if position > since => Some((position, last)),
            Topology::Star => Some((since, if one == host { one } else { other })),
        }
    }

    /// Who has become the host of the stage, if somebody has.
    fn appoint_host(&mut self, channel: &str) -> Option<&'static str> {
        if settings(channel).topology != Topology::Star {
            return None;
        }
        let members = &self.channels[channel];
        self.host.take_if(|(host, _)| !members.iter().any(|member| member.peer == *host));
        if self.host.is_some() {
            return None;
        }
        let next = members.iter().map(|member| member.peer).find(|peer| !VIEWERS.contains(peer));
        self.host = next.map(|peer| (peer, self.position));
        next
    }

    /// What `to` is told about another.
    fn add_peer(&self, channel: &str, other: &str, to: &str) -> String {
        let (position, newcomer) = self.introduction(channel, to, other).unwrap();
        let newcomer_offers = settings(channel).first_offer == FirstOffer::Newcomer;
        let role = if newcomer_offers == (newcomer == to) { "offer" } else { "answer" };
        let userdata = self.member(other, channel).unwrap().userdata;
        let userdata = userdata.map_or(String::new(), |userdata| format!(", {userdata}"));
        let is_star = settings(channel).topology == Topology::Star;
        let host = if is_star && self.host.is_some_and(|(host, _)| host == other) { ", host" } else { "" };
        format!("addPeer {other} in {channel} @7.{position}, {role}{userdata}{host}")
    }

    fn confirm(&mut self, peer: &str, id: &str) {
        if !id.is_empty() {
            self.line(peer, &format!("ok{id}"));
        }
    }

    fn line(&mut self, to: &str, text: &str) {
        self.lines.push(format!("{to} <- {text}"));
    }
}

fn connection_id(position: Option<u64>) -> String {
    position.map_or(String::new(), |position| format!(" @7.{position}"))
}
