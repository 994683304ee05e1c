//! Which events there are for what the hub says.

use serde::Serialize;
use serde_json::json;
use signal_axum::{ErrorCode, Texts};
use signal_core::{Channel, Context, Member, OwnedPayload, Payload, Role, ServerMessage};

use super::words::Kind;
use crate::json;

/// Writes the events for what the hub says.
pub(super) fn write(message: &ServerMessage<'_>, context: Context<'_>, texts: &mut Texts<'_>) {
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
    } else if let ServerMessage::Userdata { channel, peer_id, userdata } = message {
        if let (Kind::Group, channel) = Kind::of(channel) {
            let changed = Userdata { peer_id, channel, userdata: *userdata };
            emit(texts, ("userdata", changed));
        }
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
            // It is the event already.
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
    let (kind, channel) = Kind::of(channel);
    match kind {
        Kind::Group => emit(texts, ("removePeer", json!({ "peer_id": peer_id, "channel": channel }))),
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
struct Userdata<'t> {
    peer_id: &'t str,
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
