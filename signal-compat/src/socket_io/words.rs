//! What events mean, and which events there are for what the hub says.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use signal_axum::{ChannelName, Dialect, ErrorCode, Speaker, Texts};
use signal_core::{
    Channel, ClientFrame, ClientMessage, Context, Grant, Member, OwnedPayload, Payload, Place, PoolName,
    Role, ServerMessage,
    codec::{self, FrameLimits},
};

use super::NAME;
use crate::json;

#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) meets_native: bool,
}

/// The four kinds of pages. The name of a channel tells whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Group,
    Two,
    Meeting,
    Strangers,
}

impl Kind {
    /// Whose channel it is, and what a page calls it.
    fn of(channel: &str) -> (Self, &str) {
        let own = channel
            .strip_prefix('~')
            .and_then(|name| name.strip_prefix(NAME))
            .and_then(|name| name.strip_prefix(':'));
        match own.and_then(|name| name.split_once('/')) {
            Some(("two", name)) => (Self::Two, name),
            Some(("meeting", name)) => (Self::Meeting, name),
            Some((_, name)) => (Self::Group, name),
            None if channel.starts_with('~') => (Self::Strangers, channel),
            None => (Self::Group, channel),
        }
    }

    fn channel(folder: &str, name: &str) -> Result<ChannelName, ErrorCode> {
        ChannelName::within(NAME, &format!("{folder}/{name}")).map_err(|_| ErrorCode::BadMessage)
    }
}

type Arguments<'t> = [&'t RawValue];

impl Dialect for Words {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decode(
        &self,
        speaker: Speaker<'_>,
        text: &str,
        say: &mut dyn FnMut(ClientMessage<'_>),
    ) -> Result<(), ErrorCode> {
        let event: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| ErrorCode::BadMessage)?;
        let (name, arguments) = event.split_first().ok_or(ErrorCode::BadMessage)?;
        match (&*word(name)?, arguments) {
            ("join", [asked]) if asked.get().starts_with('{') => self.join_group(asked, say),
            ("part", [channel]) => {
                let channel = self.group(&word(channel)?)?;
                say(ClientMessage::Part { channel: Cow::Borrowed(channel.as_str()) });
                Ok(())
            }
            (kind @ ("relaySessionDescription" | "relayICECandidate"), [relayed]) => {
                say(native(kind, relayed.get(), &mut String::new())?.message);
                Ok(())
            }
            ("join", [room]) => join(&Kind::channel("two", &word(room)?)?, None, say),
            ("leave", [room]) => {
                let channel = Kind::channel("two", &word(room)?)?;
                say(ClientMessage::Part { channel: Cow::Borrowed(channel.as_str()) });
                Ok(())
            }
            ("ready", [room]) => tell(&Kind::channel("two", &word(room)?)?, "ready", &[], say),
            (kind @ ("candidate" | "offer" | "answer"), [what, room]) => {
                tell(&Kind::channel("two", &word(room)?)?, kind, &[what], say)
            }
            ("join-room", [room, user]) => {
                let channel = Kind::channel("meeting", &word(room)?)?;
                if let Some(before) =
                    speaker.channel.replace(channel.clone()).filter(|before| *before != channel)
                {
                    say(ClientMessage::Part { channel: Cow::Borrowed(before.as_str()) });
                }
                join(&channel, Some(user), say)
            }
            (kind @ ("camera-toggle" | "mic-toggle"), arguments) => {
                let room = speaker.channel.as_ref().ok_or(ErrorCode::BadMessage)?;
                tell(room, &format!("{kind}d"), arguments, say)
            }
            ("wantToJoin", [peer]) => wait(&speaker, peer, say),
            _ => Err(ErrorCode::UnknownType),
        }
    }

    fn encode(&self, message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>) {
        if let ServerMessage::Welcome { peer_id, .. } = message {
            texts.text(|text| text.extend_from_slice(format!("0{}", json!({ "sid": peer_id })).as_bytes()));
        } else if let ServerMessage::Joined { channel, .. } = message {
            joined(channel, context.channel, texts);
        } else if let ServerMessage::AddPeer { channel, peer_id, role, userdata, .. } = message {
            match (Kind::of(channel), role) {
                ((Kind::Group, channel), role) => {
                    let should_create_offer = *role == Role::Offerer;
                    let added = AddPeer { peer_id, should_create_offer, channel, userdata: *userdata };
                    emit(texts, ("addPeer", added));
                }
                ((Kind::Meeting, _), Role::Answerer) => emit(texts, ("user-connected", userdata)),
                ((Kind::Strangers, _), Role::Answerer) => emit(texts, ("new_member", userdata)),
                // The newcomer knows already, or will be called.
                ((Kind::Two | Kind::Meeting | Kind::Strangers, _), _) => {}
            }
        } else if let ServerMessage::RemovePeer { channel, peer_id, .. } = message {
            removed(channel, peer_id, context, texts);
        } else if let ServerMessage::SessionDescription { peer_id, session_description, .. } = message {
            emit(
                texts,
                (
                    "sessionDescription",
                    Relayed { peer_id, session_description: Some(*session_description), ice_candidate: None },
                ),
            );
        } else if let ServerMessage::IceCandidate { peer_id, ice_candidate, .. } = message {
            emit(
                texts,
                (
                    "iceCandidate",
                    Relayed { peer_id, session_description: None, ice_candidate: Some(*ice_candidate) },
                ),
            );
        } else if let ServerMessage::Message { peer_id, channel, data } = message {
            let (peer_id, channel) = (peer_id.as_deref(), channel.as_deref().map(Kind::of));
            match (peer_id, channel) {
                // It was written below.
                (Some(_), Some((Kind::Two | Kind::Meeting, _))) => {
                    texts.text(|text| text.extend_from_slice(format!("2{}", data.as_str()).as_bytes()));
                }
                _ => {
                    let channel = channel.map(|(_, name)| name);
                    emit(texts, ("message", Message { peer_id, channel, data: *data }));
                }
            }
        } else if let ServerMessage::Error { code, message, channel, .. } = message {
            match channel.as_deref().map(Kind::of) {
                Some((Kind::Two, room)) if *code == ErrorCode::ChannelFull => emit(texts, ("full", room)),
                _ => emit(texts, ("error", json!({ "code": code.as_str(), "message": message }))),
            }
        }
    }

    fn grant(&self, place: &Place, granted: Grant) -> Grant {
        let Grant::Join(mut grant) = granted else { return granted };
        let is_for_two = |name: &ChannelName| Kind::of(name.as_str()).0 == Kind::Two;
        if matches!(place, Place::Channel(name) if is_for_two(name)) {
            grant.settings.capacity = grant.settings.capacity.min(2);
        }
        Grant::Join(grant)
    }
}

impl Words {
    /// The channel that the group chat calls so.
    fn group(&self, name: &str) -> Result<ChannelName, ErrorCode> {
        if self.meets_native {
            ChannelName::new(name).map_err(|_| ErrorCode::BadMessage)
        } else {
            Kind::channel("group", name)
        }
    }

    fn join_group(&self, asked: &RawValue, say: &mut dyn FnMut(ClientMessage<'_>)) -> Result<(), ErrorCode> {
        let mut text = String::new();
        let ClientMessage::Join { channel, userdata, .. } = native("join", asked.get(), &mut text)?.message
        else {
            return Err(ErrorCode::BadMessage);
        };
        let channel = self.group(&channel)?;
        say(ClientMessage::Join { channel: Cow::Borrowed(channel.as_str()), userdata, seat: None });
        Ok(())
    }
}

/// A word, such as the name of an event or a room.
fn word(value: &RawValue) -> Result<Cow<'_, str>, ErrorCode> {
    #[derive(Deserialize)]
    struct Word<'t>(#[serde(borrow)] Cow<'t, str>);
    serde_json::from_str(value.get()).map(|Word(word)| word).map_err(|_| ErrorCode::BadMessage)
}

/// The argument of an event, as a message of our own protocol: the names in it are the same, and so are the bounds.
fn native<'t>(kind: &str, argument: &str, text: &'t mut String) -> Result<ClientFrame<'t>, ErrorCode> {
    let fields = argument.strip_prefix('{').ok_or(ErrorCode::BadMessage)?.trim_start();
    let comma = if fields.starts_with('}') { "" } else { "," };
    *text = format!("{{\"type\":\"{kind}\"{comma}{fields}");
    codec::decode(text, &FrameLimits::default()).map_err(|error| error.code)
}

fn join(
    channel: &ChannelName,
    userdata: Option<&RawValue>,
    say: &mut dyn FnMut(ClientMessage<'_>),
) -> Result<(), ErrorCode> {
    if userdata.is_some_and(|userdata| userdata.get().len() > FrameLimits::default().userdata) {
        return Err(ErrorCode::TooLarge);
    }
    let userdata = userdata.map(Payload::new);
    say(ClientMessage::Join { channel: Cow::Borrowed(channel.as_str()), userdata, seat: None });
    Ok(())
}

/// Emits an event at all others in a channel.
fn tell(
    channel: &ChannelName,
    event: &str,
    arguments: &Arguments<'_>,
    say: &mut dyn FnMut(ClientMessage<'_>),
) -> Result<(), ErrorCode> {
    let mut text = json!(event).to_string();
    for argument in arguments {
        text.push(',');
        text.push_str(argument.get());
    }
    let data = OwnedPayload::from_json(&format!("[{text}]")).map_err(|_| ErrorCode::BadMessage)?;
    let channel = Cow::Borrowed(channel.as_str());
    say(ClientMessage::SendToChannel { channel, data: data.as_payload(), echo: false });
    Ok(())
}

/// Waits for a stranger, and leaves the one before.
fn wait(
    speaker: &Speaker<'_>,
    peer: &RawValue,
    say: &mut dyn FnMut(ClientMessage<'_>),
) -> Result<(), ErrorCode> {
    if peer.get().len() > FrameLimits::default().userdata {
        return Err(ErrorCode::TooLarge);
    }
    for before in speaker.channels().iter().filter(|channel| channel.is_of_a_match()) {
        say(ClientMessage::Part { channel: Cow::Borrowed(before.as_str()) });
    }
    let pool = PoolName::within(NAME, "strangers").map_err(|_| ErrorCode::BadMessage)?;
    say(ClientMessage::Match {
        pool: Cow::Borrowed(pool.as_str()),
        userdata: Some(Payload::new(peer)),
        leave: None,
    });
    Ok(())
}

fn joined(channel: &str, context: Option<&Channel>, texts: &mut Texts<'_>) {
    let members = context.map(Channel::members).unwrap_or_default();
    match Kind::of(channel) {
        (Kind::Two, room) => emit(texts, (if members.len() < 2 { "created" } else { "joined" }, room)),
        (Kind::Meeting, _) => {
            // The last is the newcomer itself.
            let others = members.split_last().map(|(_, others)| others).unwrap_or_default();
            emit(texts, ("existing-users", others.iter().map(user).collect::<Vec<_>>()));
        }
        (Kind::Group | Kind::Strangers, _) => {}
    }
}

fn removed(channel: &str, peer_id: &str, context: Context<'_>, texts: &mut Texts<'_>) {
    let stays =
        context.gone.zip(context.channel).is_some_and(|(gone, channel)| channel.member(&gone.peer).is_some());
    match Kind::of(channel).0 {
        Kind::Group => emit(texts, ("removePeer", json!({ "peer_id": peer_id }))),
        // The client has left itself, and the others stay.
        Kind::Two | Kind::Meeting | Kind::Strangers if stays => {}
        Kind::Two => emit(texts, ["leave"]),
        Kind::Meeting => emit(texts, ("user-disconnected", context.gone.map(user))),
        Kind::Strangers => {}
    }
}

/// Who a member of a meeting says that it is.
fn user(member: &Member) -> Payload<'_> {
    member.userdata.as_ref().map_or(Payload::NULL, OwnedPayload::as_payload)
}

#[derive(Serialize)]
struct AddPeer<'t> {
    peer_id: &'t str,
    should_create_offer: bool,
    channel: &'t str,
    userdata: Payload<'t>,
}

#[derive(Serialize)]
struct Relayed<'t> {
    peer_id: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_description: Option<Payload<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ice_candidate: Option<Payload<'t>>,
}

#[derive(Serialize)]
struct Message<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_id: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'t str>,
    data: Payload<'t>,
}

/// Emits an event: its name, and its arguments.
fn emit(texts: &mut Texts<'_>, event: impl Serialize) {
    texts.text(|text| {
        text.push(b'2');
        json::append(text, event);
    });
}
