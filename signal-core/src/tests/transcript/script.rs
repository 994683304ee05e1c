//! From a line of a script to an input.

use std::{borrow::Cow, time::Duration};

use serde_json::value::RawValue;

use super::desk::{Connections, Rule, Verdict};
use crate::{
    ChannelName, ChannelSettings, ClientFrame, ClientMessage, EndReason, Entry, FirstOffer, Hello, Hosting,
    OwnedPayload, Payload, PeerId, Place, PoolName, RequestId, Topology, codec,
};

pub(super) fn statements(line: &str) -> impl Iterator<Item = &str> {
    line.lines().flat_map(|line| line.split(" / ")).map(str::trim).filter(|text| !text.is_empty())
}

pub(super) enum Statement<'s> {
    Says { who: &'s str, request: Request<'s>, id: Option<RequestId> },
    Is { who: &'s str, identity: String },
    Detaches(&'s str),
    Resumes(&'s str),
    Ends { who: &'s str, reason: EndReason },
    Kick { who: &'s str, channel: &'s str },
    Publish { channel: &'s str, data: OwnedPayload },
    PublishTo { who: &'s str, data: OwnedPayload },
    Wait(Duration),
    PolicyFor { channel: &'s str, rule: Rule },
    PolicyAnswers { who: &'s str, channel: &'s str, verdict: Verdict },
    LogHolds,
    LogFlows,
    LogCommits,
    LogCommitsAll,
    LogRefuses,
    Remote { place: Place, entry: Entry },
    Restarted,
    ShowEvents,
    ShowFrames,
    ShowIds,
    Forget,
}

pub(super) enum Request<'s> {
    Join(&'s str, Option<OwnedPayload>),
    /// A join with what the script says is a seat from before.
    Return(&'s str, &'s str),
    Part(&'s str),
    Set(&'s str, OwnedPayload),
    Say(&'s str, OwnedPayload),
    Tell(&'s str, OwnedPayload),
    Match {
        pool: &'s str,
        userdata: Option<OwnedPayload>,
        leave: Option<&'s str>,
    },
    Cancel(&'s str),
    Relay {
        what: &'s str,
        to: &'s str,
        connection: Option<&'s str>,
        attempt: Option<u32>,
    },
    Hello,
    Bye,
    Rubbish,
}

impl<'s> Statement<'s> {
    /// Reads one statement, and how often it is performed.
    pub(super) fn parse(text: &'s str) -> (Self, usize) {
        let (text, times) = match text.rsplit_once(" x") {
            Some((text, times)) if times.parse::<usize>().is_ok() => (text, times.parse().unwrap()),
            _ => (text, 1),
        };
        let statement =
            Self::fixed(text).or_else(|| Self::of_the_machine(text)).or_else(|| Self::of_a_peer(text));
        (statement.unwrap_or_else(|| panic!("not understood: {text}")), times)
    }

    fn fixed(text: &str) -> Option<Self> {
        Some(match text {
            "log holds" => Self::LogHolds,
            "log flows" => Self::LogFlows,
            "log commits" => Self::LogCommits,
            "log commits all" => Self::LogCommitsAll,
            "log refuses" => Self::LogRefuses,
            "restarted" => Self::Restarted,
            "show events" => Self::ShowEvents,
            "show frames" => Self::ShowFrames,
            "show ids" => Self::ShowIds,
            "---" => Self::Forget,
            _ => return None,
        })
    }

    fn of_the_machine(text: &'s str) -> Option<Self> {
        let (first, rest) = text.split_once(' ')?;
        Some(match first {
            "wait" => Self::Wait(duration(rest)),
            "kick" => {
                let (who, channel) = rest.split_once(' ')?;
                Self::Kick { who, channel }
            }
            "publish" => match rest.strip_prefix("to ").unwrap_or(rest).split_once(' ')? {
                (who, data) if rest.starts_with("to ") => Self::PublishTo { who, data: json(data) },
                (channel, data) => Self::Publish { channel, data: json(data) },
            },
            "policy" => Self::of_the_policy(rest)?,
            "remote" => {
                let mut words = rest.splitn(4, ' ');
                let (peer, verb, name) = (words.next()?, words.next()?, words.next()?);
                let entry = entry(PeerId::new(peer).unwrap(), verb, words.next());
                let place = match entry {
                    Entry::Match { .. } | Entry::Widen { .. } | Entry::Cancel { .. } => {
                        Place::Pool(PoolName::new(name).unwrap())
                    }
                    Entry::Join { .. } | Entry::Part { .. } | Entry::Update { .. } => {
                        Place::Channel(ChannelName::new(name).unwrap())
                    }
                };
                Self::Remote { place, entry }
            }
            _ => return None,
        })
    }

    fn of_the_policy(text: &'s str) -> Option<Self> {
        if let Some((channel, rules)) = text.strip_prefix("for ").and_then(|text| text.split_once(": ")) {
            return Some(Self::PolicyFor { channel, rule: rule(rules) });
        }
        let mut words = text.splitn(4, ' ');
        let (verb, who, channel) = (words.next()?, words.next()?, words.next()?);
        let verdict = match (verb, words.next()) {
            ("allows", None) => Verdict::Allow,
            ("denies", why) => Verdict::Refuse(why.map(unquoted)),
            _ => return None,
        };
        Some(Self::PolicyAnswers { who, channel, verdict })
    }

    fn of_a_peer(text: &'s str) -> Option<Self> {
        if let Some((who, request)) = text.split_once(": ") {
            let (request, id) = match request.rsplit_once(" #") {
                Some((request, id)) => (request, Some(request_id(id))),
                None => (request, None),
            };
            return Some(Self::Says { who, request: Request::parse(request)?, id });
        }
        let (who, verb) = text.split_once(' ')?;
        Some(match verb.split_once(' ').unwrap_or((verb, "")) {
            ("is", identity) => Self::Is { who, identity: unquoted(identity) },
            ("detaches", "") => Self::Detaches(who),
            ("resumes", "") => Self::Resumes(who),
            ("ends", reason) => Self::Ends { who, reason: EndReason::from_wire(reason)? },
            _ => return None,
        })
    }
}

impl<'s> Request<'s> {
    fn parse(text: &'s str) -> Option<Self> {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (first, value) = match rest.split_once(' ') {
            Some((first, value)) => (first, Some(value)),
            None => (rest, None),
        };
        Some(match verb {
            "join" => Self::Join(first, value.map(json)),
            "return" => Self::Return(first, value.map_or("1", |value| value.strip_prefix("as ").unwrap())),
            "pretend" => Self::Return(first, "bad"),
            "part" => Self::Part(first),
            "set" => Self::Set(first, json(value?)),
            "say" => Self::Say(first, json(value?)),
            "tell" => Self::Tell(first, json(value?)),
            "match" => {
                let (userdata, leave) = match value.and_then(|value| value.strip_prefix("leaving ")) {
                    Some(channel) => (None, Some(channel)),
                    None => (value.map(json), None),
                };
                Self::Match { pool: first, userdata, leave }
            }
            "cancel" => Self::Cancel(first),
            "relay" => {
                let mut words = value?.split(' ').peekable();
                let to = words.next()?;
                let connection = words.next_if(|word| word.starts_with('@')).map(|word| &word[1..]);
                let attempt = words.next_if_eq(&"attempt").map(|_| words.next().unwrap().parse().unwrap());
                Self::Relay { what: first, to, connection, attempt }
            }
            "hello" => Self::Hello,
            "bye" => Self::Bye,
            "rubbish" => Self::Rubbish,
            _ => return None,
        })
    }

    /// The frame as a client writes it.
    pub(super) fn frame(&self, id: Option<RequestId>, name: &str, known: &Connections) -> String {
        let message = match self {
            Self::Join(channel, userdata) => ClientMessage::Join {
                channel: Cow::Borrowed(channel),
                userdata: userdata.as_ref().map(OwnedPayload::as_payload),
                seat: None,
            },
            Self::Return(channel, seat) => ClientMessage::Join {
                channel: Cow::Borrowed(channel),
                userdata: None,
                seat: Some(Cow::Borrowed(seat)),
            },
            Self::Part(channel) => ClientMessage::Part { channel: Cow::Borrowed(channel) },
            Self::Set(channel, userdata) => ClientMessage::SetUserdata {
                channel: Cow::Borrowed(channel),
                userdata: userdata.as_payload(),
            },
            Self::Say(channel, data) => ClientMessage::SendToChannel {
                channel: Cow::Borrowed(channel),
                data: data.as_payload(),
                echo: false,
            },
            Self::Tell(to, data) => {
                ClientMessage::SendToPeer { peer_id: Cow::Borrowed(to), data: data.as_payload() }
            }
            Self::Match { pool, userdata, leave } => ClientMessage::Match {
                pool: Cow::Borrowed(pool),
                userdata: userdata.as_ref().map(OwnedPayload::as_payload),
                leave: leave.map(Cow::Borrowed),
            },
            Self::Cancel(pool) => ClientMessage::CancelMatch { pool: Cow::Borrowed(pool) },
            Self::Relay { what, to, connection, attempt } => {
                let connection_id = connection.map(|connection| known.id(name, connection, to));
                relay(what, to, connection_id, *attempt)
            }
            Self::Hello => {
                ClientMessage::Hello(Hello { version: 1, token: None, resume: None, replaces: None })
            }
            Self::Bye => ClientMessage::Bye,
            // A part without a channel.
            Self::Rubbish => ClientMessage::Part { channel: Cow::Borrowed("") },
        };
        let mut text = Vec::new();
        codec::encode_client(&ClientFrame { id, message }, &mut text);
        String::from_utf8(text).unwrap()
    }
}

fn relay<'a>(what: &str, to: &'a str, connection: Option<String>, attempt: Option<u32>) -> ClientMessage<'a> {
    let (peer_id, connection_id) = (Cow::Borrowed(to), connection.map(Cow::Owned));
    let payload = |json| Payload::new(serde_json::from_str::<&RawValue>(json).unwrap());
    match what {
        "offer" => ClientMessage::RelaySessionDescription {
            peer_id,
            session_description: payload(r#"{"type":"offer","sdp":""}"#),
            connection_id,
            attempt,
        },
        "answer" => ClientMessage::RelaySessionDescription {
            peer_id,
            session_description: payload(r#"{"type":"answer","sdp":""}"#),
            connection_id,
            attempt,
        },
        "candidate" => ClientMessage::RelayIceCandidate {
            peer_id,
            ice_candidate: payload(r#"{"candidate":"x"}"#),
            connection_id,
            attempt,
        },
        _ => panic!("no such thing to relay: {what}"),
    }
}

fn entry(peer: PeerId, verb: &str, value: Option<&str>) -> Entry {
    match verb {
        "joins" => {
            let settings = ChannelSettings::default();
            Entry::Join {
                peer,
                identity: None,
                userdata: value.map(json),
                settings,
                hosting: Hosting::Candidate,
            }
        }
        "updates" => Entry::Update { peer, userdata: json(value.unwrap()) },
        "matches" => {
            let (room, avoid) = value.unwrap().split_once(" avoiding ").unwrap_or((value.unwrap(), ""));
            let avoid = avoid.split_whitespace().map(|peer| PeerId::new(peer).unwrap()).collect();
            let settings = ChannelSettings { capacity: 2, ..ChannelSettings::default() };
            let room = ChannelName::new(room).unwrap();
            Entry::Match { peer, identity: None, userdata: None, avoid, room, settings }
        }
        "widens" => Entry::Widen { peer },
        "cancels" => Entry::Cancel { peer },
        "parts" => Entry::Part { peer, reason: EndReason::from_wire(value.unwrap()).unwrap() },
        _ => panic!("no such entry: {verb}"),
    }
}

fn rule(text: &str) -> Rule {
    let mut rule = Rule::default();
    for word in text.split(", ") {
        match word.split_once(' ').unwrap_or((word, "")) {
            ("capacity", number) => rule.settings.capacity = number.parse().unwrap(),
            ("resident", "") => rule.settings.first_offer = FirstOffer::Resident,
            ("unlisted", "") => rule.settings.topology = Topology::Unlisted,
            ("star", "") => rule.settings.topology = Topology::Star,
            ("patience", time) => rule.patience = Some(duration(time)),
            ("viewers", names) => rule.viewers = names.split(' ').map(ToOwned::to_owned).collect(),
            ("refuses", why) => rule.verdict = Verdict::Refuse(Some(unquoted(why))),
            ("is", "asked") => rule.verdict = Verdict::Ask,
            ("is", "default") => {}
            _ => panic!("no such rule: {word}"),
        }
    }
    rule
}

fn unquoted(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

fn request_id(text: &str) -> RequestId {
    text.parse().map_or_else(|_| RequestId::Text(text.into()), RequestId::Number)
}

fn json(text: &str) -> OwnedPayload {
    OwnedPayload::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn duration(text: &str) -> Duration {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => Duration::from_millis(number.parse().unwrap()),
        (None, Some(number)) => Duration::from_secs(number.parse().unwrap()),
        (None, None) => panic!("not a time: {text}"),
    }
}
