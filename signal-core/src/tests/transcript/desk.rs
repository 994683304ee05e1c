//! From an output to a line of the transcript.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    time::Duration,
};

use crate::{
    ChannelName, ChannelSettings, Entry, Grant, Hosting, JoinGrant, MatchGrant, Output, Payload, PeerId,
    Place, Position, RequestId, Role, ServerMessage, SessionId, Standing, Token, codec,
};

/// Where the outputs go: they are written down, and questions to policy and log are kept.
#[derive(Default)]
pub(super) struct Desk {
    lines: Vec<String>,
    names: Vec<Option<String>>,
    pub(super) policy: BTreeMap<String, Rule>,
    pub(super) answers: VecDeque<(Token, Place, Rule)>,
    asked: Vec<(Token, String, Place)>,
    pub(super) appended: VecDeque<(Token, Place, Entry)>,
    /// How many channels have been made for matches.
    rooms: usize,
    pub(super) connections: Connections,
    pub(super) shows_events: bool,
    pub(super) shows_frames: bool,
    pub(super) shows_appends: bool,
    pub(super) shows_ids: bool,
}

/// What the policy says about joins of one channel.
#[derive(Clone, Default)]
pub(super) struct Rule {
    pub(super) settings: ChannelSettings,
    pub(super) verdict: Verdict,
    /// Who may not be the host of a star.
    pub(super) viewers: Vec<String>,
    /// What the peer was there before.
    pub(super) standing: Option<Standing>,
    /// How long a stranger waits.
    pub(super) patience: Option<Duration>,
}

#[derive(Clone, Default)]
pub(super) enum Verdict {
    #[default]
    Allow,
    Refuse(Option<String>),
    /// The script answers.
    Ask,
}

/// The connection id that each peer was told last, by peer, channel and other peer.
#[derive(Default)]
pub(super) struct Connections(BTreeMap<(String, String, String), String>);

impl Desk {
    pub(super) fn note(&mut self, output: &Output<'_>) {
        match output {
            Output::Send { to, message, .. } => {
                let names: Vec<_> = to.iter().map(|session| self.name(session)).collect();
                assert!(!names.is_empty(), "a message for nobody: {message:?}");
                self.connections.learn(&names, message);
                let text = self.message(&names, message);
                self.line(format!("{} <- {text}", names.join(" ")));
            }
            Output::Append { token, place, entry } => {
                if self.shows_appends {
                    self.line(format!("log <- {}", describe_entry(name_of(place), entry)));
                }
                self.appended.push_back((*token, place.clone(), entry.clone()));
            }
            Output::Authorize { token, place, userdata, seat } => {
                let mut rule = self.policy.get(name_of(place)).cloned().unwrap_or_default();
                rule.standing = seat.and_then(standing);
                if let Verdict::Ask = rule.verdict {
                    let name = self.name(token.session());
                    let userdata = userdata.map_or(String::new(), |json| format!(" {}", json.as_str()));
                    let what = if let Place::Channel(_) = place { "join" } else { "match in" };
                    self.line(format!("policy <- {name} asks to {what} {}{userdata}", name_of(place)));
                    self.asked.push((*token, name, (*place).clone()));
                } else {
                    self.answers.push_back((*token, (*place).clone(), rule));
                }
            }
            Output::Hold { session } => self.line(format!("hold {}", self.name(*session))),
            Output::Release { session } => self.line(format!("release {}", self.name(*session))),
            Output::Close { session, reason } => {
                self.line(format!("close {}: {} {}", self.name(*session), reason.code(), reason.as_str()));
            }
            Output::Joined { session, channel, settings: _, standing: _ } => {
                self.event(format!("event: {} joined {channel}", self.name(*session)));
            }
            Output::Parted { session, channel, reason } => {
                self.event(format!("event: {} parted {channel}, {}", self.name(*session), reason.as_str()));
            }
            Output::Ended { session, peer, reason } => {
                assert_eq!(self.name(*session), peer.as_str());
                self.line(format!("{peer} ended: {}", reason.as_str()));
                self.names[session.0 as usize] = None;
            }
        }
    }

    /// Gives the smallest free session number to a peer.
    pub(super) fn take_number(&mut self, name: &str) -> SessionId {
        let index = self.names.iter().position(Option::is_none).unwrap_or_else(|| {
            self.names.push(None);
            self.names.len() - 1
        });
        self.names[index] = Some(name.to_owned());
        SessionId(u32::try_from(index).unwrap())
    }

    /// What the script lets the policy answer to the oldest such question.
    pub(super) fn decide(&mut self, who: &str, what: &str, verdict: &Verdict) {
        let index = self.asked.iter().position(|(_, name, asked)| name == who && name_of(asked) == what);
        let (token, _, place) = self.asked.remove(index.expect("the policy has been asked"));
        let rule = self.policy.get(what).cloned().unwrap_or_default();
        self.answers.push_back((token, place, Rule { verdict: verdict.clone(), ..rule }));
    }

    /// What the policy allows. Channels for matches are `~1`, `~2` and so on.
    pub(super) fn grant(&mut self, token: Token, place: &Place, rule: &Rule) -> Grant {
        let settings = rule.settings;
        match place {
            Place::Channel(_) => {
                let name = self.peer(token.session());
                let is_viewer = rule.viewers.iter().any(|viewer| Some(&**viewer) == name);
                let hosting = if is_viewer { Hosting::Never } else { Hosting::Candidate };
                let grant = JoinGrant { settings, hosting };
                rule.standing.map_or(Grant::Join(grant), |standing| Grant::Return { grant, standing })
            }
            Place::Pool(_) => {
                self.rooms += 1;
                let room = ChannelName::new(&format!("~{}", self.rooms)).unwrap();
                let default = MatchGrant::default();
                let capacity = if settings.capacity == u32::MAX { 2 } else { settings.capacity };
                let settings = ChannelSettings { capacity, ..settings };
                let patience = rule.patience.unwrap_or(default.patience);
                Grant::Match { grant: MatchGrant { settings, patience }, room }
            }
        }
    }

    pub(super) fn forget(&mut self) {
        self.lines.clear();
    }

    pub(super) fn transcript(&self) -> String {
        joined_lines(&self.lines)
    }

    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    fn event(&mut self, line: String) {
        if self.shows_events {
            self.line(line);
        }
    }

    /// The peer behind a session. Nothing is ever said about one that has ended.
    fn name(&self, session: SessionId) -> String {
        self.peer(session).expect("the session lives").to_owned()
    }

    pub(super) fn peer(&self, session: SessionId) -> Option<&str> {
        self.names.get(session.0 as usize)?.as_deref()
    }

    fn message(&self, to: &[String], message: &ServerMessage<'_>) -> String {
        let mut text = Vec::new();
        codec::encode(message, &mut text);
        let text = String::from_utf8(text).unwrap();
        let frame = codec::decode_server(&text).expect(&text);
        assert_eq!(frame.message().as_ref(), Some(message), "{text}");
        if self.shows_frames { text } else { self.describe(&to[0], message) }
    }

    fn describe(&self, to: &str, message: &ServerMessage<'_>) -> String {
        match message {
            ServerMessage::Joined { id, channel, peers, seat: _ } => {
                let plural = if *peers == 1 { "" } else { "s" };
                format!("joined {channel}, {peers} peer{plural}{}", number(*id))
            }
            ServerMessage::Parted { id, channel } => format!("parted {channel}{}", number(*id)),
            ServerMessage::AddPeer { channel, peer_id, role, connection_id, userdata, identity, is_host } => {
                let host = if *is_host { ", host" } else { "" };
                let role = if *role == Role::Offerer { "offer" } else { "answer" };
                let identity = identity.as_ref().map_or(String::new(), |identity| format!(", is {identity}"));
                let id = if self.shows_ids { format!(" @{connection_id}") } else { String::new() };
                format!("addPeer {peer_id} in {channel}{id}, {role}{}{identity}{host}", json(*userdata))
            }
            ServerMessage::RemovePeer { channel, peer_id, reason } => {
                format!("removePeer {peer_id} from {channel}, {}", reason.as_str())
            }
            ServerMessage::SessionDescription { peer_id, session_description, connection_id, attempt } => {
                let kind = if session_description.as_str().contains("offer") { "offer" } else { "answer" };
                let connection = self.label(to, peer_id, connection_id.as_deref());
                format!("{kind} from {peer_id}{connection}{}", attempt_of(*attempt))
            }
            ServerMessage::IceCandidate { peer_id, ice_candidate: _, connection_id, attempt } => {
                let connection = self.label(to, peer_id, connection_id.as_deref());
                format!("candidate from {peer_id}{connection}{}", attempt_of(*attempt))
            }
            ServerMessage::Userdata { channel, peer_id, userdata } => {
                format!("userdata of {peer_id} in {channel}: {}", userdata.as_str())
            }
            ServerMessage::Message { peer_id, channel, data } => {
                let from = peer_id.as_ref().map_or(String::new(), |peer| format!(" from {peer}"));
                let channel = channel.as_ref().map_or(String::new(), |channel| format!(" in {channel}"));
                format!("message{from}{channel}: {}", data.as_str())
            }
            ServerMessage::Waiting { id, pool, waiting } => {
                format!("waiting in {pool}, {waiting}{}", number(*id))
            }
            ServerMessage::Matched { id, pool, channel } => {
                format!("matched in {pool}: {channel}{}", number(*id))
            }
            ServerMessage::MatchEnded { id, pool, reason } => {
                format!("matchEnded in {pool}, {}{}", reason.as_str(), number(*id))
            }
            ServerMessage::Ok { id } => format!("ok{}", number(Some(id))),
            ServerMessage::Error { code, message, id, channel, pool, peer_id, connection_id } => {
                let channel = channel.as_ref().or(pool.as_ref());
                let channel = channel.as_ref().map_or(String::new(), |channel| format!(" in {channel}"));
                let peer = peer_id.as_ref().map_or(String::new(), |peer| format!(" for {peer}"));
                let connection = self.label(to, peer_id.as_deref().unwrap_or(""), connection_id.as_deref());
                let why = if *message == code.message() { String::new() } else { format!(": {message}") };
                format!("error {code}{channel}{peer}{connection}{}{why}", number(*id))
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::IceServers { .. }
            | ServerMessage::Ack { .. }
            | ServerMessage::Pong
            | ServerMessage::Closing { .. } => panic!("the driver says this, not the hub: {message:?}"),
        }
    }

    /// How a transcript shows the connection id that `to` reads in a message about `other`.
    fn label(&self, to: &str, other: &str, id: Option<&str>) -> String {
        let Some(id) = id else { return String::new() };
        let channel = self.connections.channel(to, other, id).filter(|_| !self.shows_ids);
        format!(" @{}", channel.unwrap_or(id))
    }
}

/// What a seat proves: `host`, or as which entry the peer had joined.
fn standing(seat: &str) -> Option<Standing> {
    let is_host = seat == "host";
    let joined_at = if is_host { 1 } else { seat.parse().ok()? };
    Some(Standing { joined_at: Position(joined_at), is_host })
}

/// One line for each, and one with a number for those that are repeated.
pub(in crate::tests) fn joined_lines(lines: &[String]) -> String {
    lines.chunk_by(|one, other| one == other).fold(String::new(), |mut text, same| {
        let times = if same.len() > 1 { format!(" x{}", same.len()) } else { String::new() };
        writeln!(text, "{}{times}", same[0]).unwrap();
        text
    })
}

impl Connections {
    fn learn(&mut self, to: &[String], message: &ServerMessage<'_>) {
        if let ServerMessage::AddPeer { channel, peer_id, connection_id, .. } = message {
            for name in to {
                let key = (name.clone(), channel.to_string(), peer_id.to_string());
                self.0.insert(key, connection_id.to_string());
            }
        }
    }

    /// What a script means by `@lobby` or `@7.1`.
    pub(super) fn id(&self, name: &str, connection: &str, other: &str) -> String {
        if connection.contains('.') {
            return connection.to_owned();
        }
        let key = (name.to_owned(), connection.to_owned(), other.to_owned());
        self.0.get(&key).unwrap_or_else(|| panic!("{name} has not met {other} in {connection}")).clone()
    }

    /// The channel in which `name` was told this id of `other`.
    fn channel(&self, name: &str, other: &str, id: &str) -> Option<&str> {
        let known =
            self.0.iter().find(|((to, _, about), known)| to == name && about == other && *known == id);
        known.map(|((_, channel, _), _)| channel.as_str())
    }
}

fn describe_entry(name: &str, entry: &Entry) -> String {
    match entry {
        Entry::Join { peer, .. } => format!("join {name} {peer}"),
        Entry::Part { peer, reason } => format!("part {name} {peer}, {}", reason.as_str()),
        Entry::Update { peer, userdata } => format!("update {name} {peer} {}", &**userdata),
        Entry::Match { peer, avoid, room, .. } => {
            let avoid = avoid.iter().map(PeerId::as_str).collect::<Vec<_>>().join(" ");
            let avoid = if avoid.is_empty() { avoid } else { format!(", avoiding {avoid}") };
            format!("match {name} {peer} {room}{avoid}")
        }
        Entry::Widen { peer } => format!("widen {name} {peer}"),
        Entry::Cancel { peer } => format!("cancel {name} {peer}"),
    }
}

pub(super) fn name_of(place: &Place) -> &str {
    match place {
        Place::Channel(name) => name.as_str(),
        Place::Pool(name) => name.as_str(),
    }
}

fn number(id: Option<&RequestId>) -> String {
    match id {
        Some(RequestId::Number(number)) => format!(" #{number}"),
        Some(RequestId::Text(text)) => format!(" #{text}"),
        None => String::new(),
    }
}

fn attempt_of(attempt: Option<u32>) -> String {
    attempt.map_or(String::new(), |attempt| format!(" attempt {attempt}"))
}

fn json(userdata: Payload<'_>) -> String {
    if userdata == Payload::NULL { String::new() } else { format!(", {}", userdata.as_str()) }
}
