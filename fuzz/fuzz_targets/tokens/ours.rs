//! Resume tokens and seats.

use std::sync::LazyLock;

use signal_core::{ChannelSettings, PeerId, Position, Standing};
use signal_tokio::fuzzing::{Resumed, Tokens};

/// A server, and the one that is started after it with another key in front; and one whose key nobody knows.
static BEFORE: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&[[7; 32]], 1));
static AFTER: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&[[8; 32], [7; 32]], 2));
static STRANGE: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&[], 3));

static RESUME: LazyLock<String> = LazyLock::new(|| BEFORE.resume(&(1, 5, 9, ann()), Some("Ann")));
static SEAT: LazyLock<String> =
    LazyLock::new(|| BEFORE.seat(&ann(), "room", &ChannelSettings::default(), standing()));

/// What stands before the peer in a resume token: kind, epoch, time, session, counter, identity.
const RESUME_HEAD: usize = 1 + 8 + 8 + 8 + 4 + 16;
/// What stands before the peer in a seat: kind, epoch, time, settings, standing.
const SEAT_HEAD: usize = 1 + 8 + 8 + 6 + 9;

/// No text is a token of a key that nobody knows.
pub(crate) fn check_made_up(text: &str) {
    assert_eq!(STRANGE.read_resume(text, None), None);
    assert_eq!(STRANGE.read_seat(text, &ann(), "room"), None);
}

/// Whatever is signed is read for what it says, or refused.
pub(crate) fn check_signed(body: &[u8]) {
    let text = BEFORE.sign(body);
    check_made_up(&text);
    for server in [&*BEFORE, &*AFTER] {
        if let Some((said, _)) = server.read_resume(&text, None) {
            check_resume(body, &said);
        }
        let holder = body.get(SEAT_HEAD..).and_then(holder);
        if let Some((peer, channel)) = &holder
            && let Some((settings, standing)) = server.read_seat(&text, peer, channel)
        {
            assert_eq!((body[0], &body[17..21]), (2, &settings.capacity.to_be_bytes()[..]));
            assert_eq!(&body[24..32], standing.joined_at.0.to_be_bytes());
            assert_eq!(server.read_resume(&text, None), None, "one kind stands in for the other");
            assert_eq!(server.read_seat(&text, peer, &format!("{channel}x")), None);
        }
    }
    check_own(body);
}

fn check_resume(body: &[u8], (epoch, session, counter, peer): &Resumed) {
    let (head, rest) = body.split_at(RESUME_HEAD);
    assert_eq!((head[0], rest), (1, peer.as_str().as_bytes()));
    assert_eq!(head[1..9], epoch.to_be_bytes());
    assert_eq!(head[17..25], session.to_be_bytes());
    assert_eq!(head[25..29], counter.to_be_bytes());
}

/// Peer and channel, with a NUL between them.
fn holder(bytes: &[u8]) -> Option<(PeerId, String)> {
    let (peer, channel) = str::from_utf8(bytes).ok()?.split_once('\0')?;
    Some((PeerId::new(peer).ok()?, channel.to_owned()))
}

/// A token that a server makes it reads, for this peer and identity only.
fn check_own(bytes: &[u8]) {
    let Some((text, identity)) = str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n')) else {
        return;
    };
    let Ok(peer) = PeerId::new(text) else { return };
    let said = (1, bytes.len() as u64, 3, peer);
    let resume = BEFORE.resume(&said, Some(identity));
    assert_eq!(BEFORE.read_resume(&resume, Some(identity)), Some((said.clone(), true)));
    assert_eq!(AFTER.read_resume(&resume, None), Some((said.clone(), false)));
    let (settings, standing) = (ChannelSettings::default(), standing());
    let seat = BEFORE.seat(&said.3, identity, &settings, standing);
    assert_eq!(AFTER.read_seat(&seat, &said.3, identity), Some((settings, standing)));
    assert_eq!(BEFORE.read_seat(&seat, &said.3, identity), None, "it is of this start");
    assert!(said.3 == ann() || AFTER.read_seat(&seat, &ann(), identity).is_none());
}

/// No other text stands for the same token.
pub(crate) fn check_changed(edits: &[u8]) {
    if let Some(text) = crate::changed(&RESUME, edits) {
        assert_eq!(BEFORE.read_resume(&text, None), None);
    }
    if let Some(text) = crate::changed(&SEAT, edits) {
        assert_eq!(AFTER.read_seat(&text, &ann(), "room"), None);
    }
}

fn ann() -> PeerId {
    PeerId::new("ann").expect("a good name")
}

fn standing() -> Standing {
    Standing { joined_at: Position(4), is_host: true }
}
