//! What events mean.

use std::{borrow::Cow, time::Duration};

use serde::Deserialize;
use serde_json::{json, value::RawValue};
use signal_axum::{
    ChannelName, ChannelSettings, Dialect, ErrorCode, FirstOffer, FrameLimits, JoinGrant, MatchGrant,
    Speaker, Texts, Topology,
};
use signal_core::{
    ClientFrame, ClientMessage, Context, Grant, OwnedPayload, Payload, Place, PoolName, ServerMessage, codec,
};

use super::{NAME, events};

/// How long a stranger waits: as long as the server can.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) meets_native: bool,
    pub(crate) limits: FrameLimits,
}

/// The four kinds of pages. The name of a channel tells whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Group,
    Two,
    Meeting,
    Strangers,
}

impl Kind {
    /// Whose channel it is, and what a page calls it.
    pub(super) fn of(channel: &str) -> (Self, &str) {
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
                say(self.native(kind, relayed.get(), &mut String::new())?.message);
                Ok(())
            }
            ("join", [room]) => {
                let channel = Kind::channel("two", &word(room)?)?;
                join(&speaker, &channel, None, say);
                Ok(())
            }
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
                join(&speaker, &channel, Some(self.userdata(user)?), say);
                Ok(())
            }
            (kind @ ("camera-toggle" | "mic-toggle"), arguments) => {
                let room = speaker.channel.as_ref().ok_or(ErrorCode::BadMessage)?;
                tell(room, &format!("{kind}d"), arguments, say)
            }
            ("wantToJoin", [peer]) => wait(&speaker, self.userdata(peer)?, say),
            _ => Err(ErrorCode::UnknownType),
        }
    }

    fn encode(&self, message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>) {
        events::write(message, context, texts);
    }

    fn grant(&self, place: &Place, granted: Grant) -> Grant {
        let kind = match place {
            Place::Channel(name) => Kind::of(name.as_str()).0,
            Place::Pool(_) => Kind::Strangers,
        };
        // What they are told of each other has no words for anything else.
        let as_told = |settings: ChannelSettings| ChannelSettings {
            capacity: if kind == Kind::Two { settings.capacity.min(2) } else { settings.capacity },
            topology: Topology::Mesh,
            first_offer: FirstOffer::Newcomer,
        };
        match granted {
            Grant::Join(grant) if kind != Kind::Group => {
                Grant::Join(JoinGrant { settings: as_told(grant.settings), ..grant })
            }
            // Nobody tells the page that it waits no longer.
            Grant::Match { grant, room } => {
                let grant = MatchGrant { settings: as_told(grant.settings), patience: PATIENCE };
                Grant::Match { grant, room }
            }
            granted @ (Grant::Join(_) | Grant::Return { .. }) => granted,
        }
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

    /// The argument of an event, as a message of our own protocol: the names in it are the same, and so are the bounds.
    fn native<'t>(
        &self,
        kind: &str,
        argument: &str,
        text: &'t mut String,
    ) -> Result<ClientFrame<'t>, ErrorCode> {
        let fields = argument.strip_prefix('{').ok_or(ErrorCode::BadMessage)?.trim_start();
        let comma = if fields.starts_with('}') { "" } else { "," };
        *text = format!("{{\"type\":\"{kind}\"{comma}{fields}");
        codec::decode(text, &self.limits).map_err(|error| error.code)
    }

    /// Userdata as a page gives it, within its bound.
    fn userdata<'t>(&self, value: &'t RawValue) -> Result<Payload<'t>, ErrorCode> {
        if value.get().len() > self.limits.userdata {
            Err(ErrorCode::TooLarge)
        } else {
            Ok(Payload::new(value))
        }
    }

    fn join_group(&self, asked: &RawValue, say: &mut dyn FnMut(ClientMessage<'_>)) -> Result<(), ErrorCode> {
        let mut text = String::new();
        let ClientMessage::Join { channel, userdata, .. } =
            self.native("join", asked.get(), &mut text)?.message
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

/// Joins a channel, unless the client is in it: it has heard of all that it would hear.
fn join(
    speaker: &Speaker<'_>,
    channel: &ChannelName,
    userdata: Option<Payload<'_>>,
    say: &mut dyn FnMut(ClientMessage<'_>),
) {
    if !speaker.channels().contains(channel) {
        say(ClientMessage::Join { channel: Cow::Borrowed(channel.as_str()), userdata, seat: None });
    }
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
    peer: Payload<'_>,
    say: &mut dyn FnMut(ClientMessage<'_>),
) -> Result<(), ErrorCode> {
    for before in speaker.channels().iter().filter(|channel| channel.is_of_a_match()) {
        say(ClientMessage::Part { channel: Cow::Borrowed(before.as_str()) });
    }
    let pool = PoolName::within(NAME, "strangers").map_err(|_| ErrorCode::BadMessage)?;
    say(ClientMessage::Match { pool: Cow::Borrowed(pool.as_str()), userdata: Some(peer), leave: None });
    Ok(())
}
