use expect_test::expect;
use proptest::prelude::*;

use crate::{
    ChannelName, CloseReason, ConnectionId, EndReason, Epoch, OwnedPayload, PeerId, Position, ServerMessage,
};

proptest! {
    #[test]
    fn a_connection_id_is_read_as_it_was_written(epoch: u64, position: u64) {
        let id = ConnectionId { epoch: Epoch(epoch), position: Position(position) };
        let text = id.to_string();
        prop_assert!(text.len() <= ConnectionId::MAX_BYTES);
        prop_assert_eq!(text.parse(), Ok(id));
    }

    /// Clients compare the text, so another spelling of the same numbers is another id.
    #[test]
    fn a_connection_id_has_one_spelling(text in "[0-9a-fA-F+ -]{0,3}[.]?[0-9a-f.+-]{0,3}") {
        if let Ok(id) = text.parse::<ConnectionId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}

#[test]
fn a_peer_id_is_one_to_sixty_four_bytes_of_visible_ascii() {
    for good in ["a", "!", "~", "Zk3pX0vTqYd1mWb8RhLs2g", &"x".repeat(64)] {
        assert_eq!(PeerId::new(good).map(|id| id.to_string()), Ok(good.to_owned()));
    }
    for bad in ["", " ", "a b", "\u{7f}", "\n", "é", &"x".repeat(65)] {
        assert!(PeerId::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_channel_name_is_one_to_128_bytes_without_control_characters() {
    for good in [" ", "a b", "é", "\u{a0}", "\u{2028}", "🎥", "__proto__", &"x".repeat(128), &"é".repeat(64)]
    {
        assert_eq!(ChannelName::new(good).map(|name| name.to_string()), Ok(good.to_owned()));
    }
    for bad in ["", "a\0", "\n", "\u{7f}", "\u{80}", "\u{9f}", &"x".repeat(129), &"é".repeat(65)] {
        assert!(ChannelName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_peers_say_is_not_printed() {
    let secret = OwnedPayload::from_json(r#""secret""#).unwrap();
    let message = ServerMessage::Message { peer_id: None, channel: None, data: secret.as_payload() };
    let printed = format!("{secret:?} {message:?}");
    assert!(!printed.contains("secret") && printed.contains("8 bytes"), "{printed}");
}

/// The tables of sections 6 and 14 of the specification.
#[test]
fn close_codes_and_reasons_are_those_of_the_specification() {
    let reasons = [
        CloseReason::Bye,
        CloseReason::Draining,
        CloseReason::TooLarge,
        CloseReason::Replaced,
        CloseReason::HelloTimeout,
        CloseReason::Unauthorized,
        CloseReason::Kicked,
        CloseReason::Protocol,
        CloseReason::UnsupportedVersion,
        CloseReason::Slow,
        CloseReason::Overflow,
        CloseReason::Heartbeat,
    ];
    let rows = reasons.map(|reason| {
        format!("{} {}: {}\n", reason.code(), reason.as_str(), EndReason::from(reason).as_str())
    });
    expect![[r#"
        1000 bye: bye
        1001 draining: timeout
        1009 too_large: closed
        4001 replaced: replaced
        4002 hello_timeout: closed
        4003 unauthorized: closed
        4004 kicked: kicked
        4005 protocol: closed
        4006 unsupported_version: closed
        4008 slow: timeout
        4008 overflow: overflow
        4009 heartbeat: timeout
    "#]]
    .assert_eq(&rows.concat());
}
