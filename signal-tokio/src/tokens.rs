//! Signed tokens: what a client shows to get its session back, or its seat.
//!
//! A token is base64url of what it says, in bytes of fixed places, and the first 16 bytes of an HMAC (RFC 2104) with
//! SHA-256 over that. The first byte says which kind it is, so that none can stand in for another.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use signal_core::{ChannelSettings, Epoch, FirstOffer, PeerId, Position, Standing, Topology};

use crate::random;

/// Fewer bytes than this are no key: 256 bits, the size of the hash (RFC 2104, section 3).
pub(crate) const LEAST_KEY: usize = 32;

/// 128 bits of the MAC: half of it, the least that RFC 2104 (section 5) has no objection to.
const MAC: usize = 16;

/// Half of a SHA-256, which is as hard to hit as the MAC.
const IDENTITY: usize = 16;

const RESUME: u8 = 1;
const SEAT: u8 = 2;

/// Makes and reads tokens. The first key signs, all verify.
pub(crate) struct Signer {
    keys: Vec<Hmac<Sha256>>,
    /// The life of this process, as the tokens name it.
    epoch: Epoch,
    /// How old a token of an earlier life may be.
    life: Duration,
}

/// What a resume token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResumeToken {
    pub(crate) ticket: Ticket,
    pub(crate) peer: PeerId,
    identity: [u8; IDENTITY],
}

/// Which token of which session. Enough to tell a token from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) epoch: Epoch,
    /// Which session of that life, counted from 0.
    pub(crate) session: u64,
    /// How many tokens of the session came before this one.
    pub(crate) counter: u32,
}

/// What a seat token names: it is signed for one peer and one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) settings: ChannelSettings,
    pub(crate) standing: Standing,
}

impl Signer {
    /// Keys of at least [`LEAST_KEY`] bytes. Without any, a random one serves: then no token outlives the process.
    pub(crate) fn new(keys: &Keys, epoch: Epoch, life: Duration) -> Self {
        let random = [random::key()];
        let keys: Vec<&[u8]> = if keys.0.is_empty() {
            random.iter().map(|key| &key[..]).collect()
        } else {
            keys.0.iter().map(Vec::as_slice).collect()
        };
        let prepared = |key| Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self { keys: keys.into_iter().map(prepared).collect(), epoch, life }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn resume_token(&self, ticket: Ticket, peer: &PeerId, identity: Option<&str>) -> String {
        let mut body = self.begin(RESUME, ticket.epoch);
        body.extend(ticket.session.to_be_bytes());
        body.extend(ticket.counter.to_be_bytes());
        body.extend(digest_of(identity));
        body.extend(peer.as_str().as_bytes());
        self.sign(body)
    }

    /// Nothing if this server, or one with the same keys, has not made it, or too long ago.
    pub(crate) fn read_resume_token(&self, text: &str) -> Option<ResumeToken> {
        let body = self.verify(text)?;
        let (epoch, mut rest) = self.opened(RESUME, &body)?;
        let session = u64::from_be_bytes(take(&mut rest)?);
        let counter = u32::from_be_bytes(take(&mut rest)?);
        let identity = take(&mut rest)?;
        let peer = PeerId::new(std::str::from_utf8(rest).ok()?).ok()?;
        Some(ResumeToken { ticket: Ticket { epoch, session, counter }, peer, identity })
    }

    pub(crate) fn seat_token(
        &self,
        peer: &PeerId,
        channel: &str,
        settings: &ChannelSettings,
        standing: Standing,
    ) -> String {
        let mut body = self.begin(SEAT, self.epoch);
        body.extend(settings.capacity.to_be_bytes());
        body.push(match settings.first_offer {
            FirstOffer::Newcomer => 0,
            FirstOffer::Resident => 1,
        });
        body.push(match settings.topology {
            Topology::Mesh => 0,
            Topology::Star => 1,
            Topology::Unlisted => 2,
        });
        body.push(standing.is_host.into());
        body.extend(standing.joined_at.0.to_be_bytes());
        body.extend(holder_of(peer, channel));
        self.sign(body)
    }

    /// Nothing if it is not the seat of this peer in this channel before the server started again.
    pub(crate) fn read_seat_token(&self, text: &str, peer: &PeerId, channel: &str) -> Option<Seat> {
        let body = self.verify(text)?;
        let (epoch, mut rest) = self.opened(SEAT, &body)?;
        let capacity = u32::from_be_bytes(take(&mut rest)?);
        let first_offer = match take::<1>(&mut rest)? {
            [0] => FirstOffer::Newcomer,
            [1] => FirstOffer::Resident,
            _ => return None,
        };
        let topology = match take::<1>(&mut rest)? {
            [0] => Topology::Mesh,
            [1] => Topology::Star,
            [2] => Topology::Unlisted,
            _ => return None,
        };
        let is_host = match take::<1>(&mut rest)? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let standing = Standing { joined_at: Position(u64::from_be_bytes(take(&mut rest)?)), is_host };
        let is_ours = rest.iter().copied().eq(holder_of(peer, channel)) && epoch != self.epoch;
        let settings = ChannelSettings { capacity, first_offer, topology };
        is_ours.then_some(Seat { settings, standing })
    }

    fn begin(&self, kind: u8, epoch: Epoch) -> Vec<u8> {
        let mut body = Vec::with_capacity(128);
        body.push(kind);
        body.extend(epoch.0.to_be_bytes());
        body.extend(seconds_now().to_be_bytes());
        body
    }

    /// The epoch of a token and what follows its age. One of this life has no age: its session says whether it is valid.
    fn opened<'b>(&self, kind: u8, body: &'b [u8]) -> Option<(Epoch, &'b [u8])> {
        let mut rest = body.strip_prefix(&[kind])?;
        let epoch = Epoch(u64::from_be_bytes(take(&mut rest)?));
        let made_at = u64::from_be_bytes(take(&mut rest)?);
        // A clock that was set back makes tokens younger, never invalid.
        let age = seconds_now().saturating_sub(made_at);
        (epoch == self.epoch || age <= self.life.as_secs()).then_some((epoch, rest))
    }

    pub(crate) fn sign(&self, mut body: Vec<u8>) -> String {
        let mut mac = self.keys[0].clone();
        mac.update(&body);
        body.extend(&mac.finalize().into_bytes()[..MAC]);
        URL_SAFE_NO_PAD.encode(body)
    }

    /// What the token says, if one of the keys has signed it. The comparison takes the same time for all MACs.
    fn verify(&self, text: &str) -> Option<Vec<u8>> {
        let mut body = URL_SAFE_NO_PAD.decode(text).ok()?;
        let mac = body.split_off(body.len().checked_sub(MAC)?);
        let is_signed = self.keys.iter().any(|key| {
            let mut expected = key.clone();
            expected.update(&body);
            expected.verify_truncated_left(&mac).is_ok()
        });
        is_signed.then_some(body)
    }
}

impl ResumeToken {
    /// Whether the session was that of somebody with this identity.
    pub(crate) fn is_of(&self, identity: Option<&str>) -> bool {
        self.identity == digest_of(identity)
    }
}

/// The keys of the configuration, which nothing prints.
#[derive(Clone, Default)]
pub(crate) struct Keys(pub(crate) Vec<Vec<u8>>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// Nobody and the empty identity are two.
fn digest_of(identity: Option<&str>) -> [u8; IDENTITY] {
    let mut digest = [0; IDENTITY];
    if let Some(identity) = identity {
        digest.copy_from_slice(&Sha256::digest(identity)[..IDENTITY]);
    }
    digest
}

/// A peer id contains no NUL.
fn holder_of(peer: &PeerId, channel: &str) -> impl Iterator<Item = u8> {
    peer.as_str().bytes().chain([0]).chain(channel.bytes())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Signaling, Timing};

    const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    fn signer(epoch: u64, keys: &[&str]) -> Signer {
        let keys = Keys(keys.iter().map(|key| key.repeat(LEAST_KEY).into_bytes()).collect());
        Signer::new(&keys, Epoch(epoch), WEEK)
    }

    fn ann() -> PeerId {
        PeerId::new("ann").unwrap()
    }

    fn token_of(signer: &Signer, identity: Option<&str>) -> String {
        signer.resume_token(Ticket { epoch: signer.epoch, session: 5, counter: 9 }, &ann(), identity)
    }

    /// The same token, made at another time.
    fn aged(signer: &Signer, token: &str, age: i64) -> String {
        let mut body = signer.verify(token).unwrap();
        let made_at = seconds_now().checked_add_signed(-age).unwrap();
        body[9..17].copy_from_slice(&made_at.to_be_bytes());
        signer.sign(body)
    }

    #[test]
    fn a_token_says_what_it_was_made_of() {
        let signer = signer(7, &["a"]);
        let token = signer.read_resume_token(&token_of(&signer, Some("Ann"))).unwrap();
        assert_eq!(token.ticket, Ticket { epoch: Epoch(7), session: 5, counter: 9 });
        assert_eq!(token.peer, ann());
        assert!(token.is_of(Some("Ann")));
        assert!(!token.is_of(Some("ann")) && !token.is_of(None) && !token.is_of(Some("")));
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_none() {
        let signer = signer(7, &["a"]);
        let token = token_of(&signer, None);
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(signer.read_resume_token(&URL_SAFE_NO_PAD.encode(changed)), None, "bit {bit}");
        }
        for length in 0..token.len() {
            assert_eq!(signer.read_resume_token(&token[..length]), None, "{length} characters");
        }
        for text in [format!("{token}A"), format!("{token}="), "é".to_owned()] {
            assert_eq!(signer.read_resume_token(&text), None);
        }
    }

    #[test]
    fn only_known_keys_sign() {
        let (old, new) = (signer(7, &["a"]), signer(8, &["b", "a"]));
        assert!(new.read_resume_token(&token_of(&old, None)).is_some());
        assert!(old.read_resume_token(&token_of(&new, None)).is_none());
        let random = signer(9, &[]);
        assert!(random.read_resume_token(&token_of(&random, None)).is_some());
        assert!(random.read_resume_token(&token_of(&signer(9, &[]), None)).is_none());
    }

    #[test]
    fn only_tokens_of_an_earlier_start_grow_old() {
        let (before, now) = (signer(7, &["a"]), signer(8, &["a"]));
        let token = token_of(&before, None);
        let day = 24 * 60 * 60;
        for (age, is_valid) in [(7 * day - 60, true), (7 * day + 60, false), (-365 * day, true)] {
            assert_eq!(now.read_resume_token(&aged(&now, &token, age)).is_some(), is_valid, "{age} s");
            assert!(before.read_resume_token(&aged(&before, &token, age)).is_some(), "{age} s");
        }
    }

    #[test]
    fn how_old_a_token_may_be_can_be_set() {
        let keys = [[7; LEAST_KEY]];
        let timing = Timing { token_life: Duration::from_secs(100), ..Timing::default() };
        let signaling = Signaling::builder().keys(keys).timing(timing).build().unwrap();
        let now = &signaling.shared.signer;
        let before = Signer::new(&Keys(keys.map(Vec::from).into()), Epoch(7), WEEK);
        let token = token_of(&before, None);
        assert!(now.read_resume_token(&aged(now, &token, 90)).is_some());
        assert!(now.read_resume_token(&aged(now, &token, 110)).is_none());
    }

    #[test]
    fn a_seat_is_one_of_an_earlier_start() {
        let (before, now) = (signer(7, &["a"]), signer(8, &["a"]));
        for topology in [Topology::Mesh, Topology::Star, Topology::Unlisted] {
            for first_offer in [FirstOffer::Newcomer, FirstOffer::Resident] {
                let settings = ChannelSettings { capacity: 2, first_offer, topology };
                let standing = Standing { joined_at: Position(1 << 40), is_host: topology == Topology::Star };
                let seat = before.seat_token(&ann(), "duo", &settings, standing);
                assert_eq!(now.read_seat_token(&seat, &ann(), "duo"), Some(Seat { settings, standing }));
                assert_eq!(before.read_seat_token(&seat, &ann(), "duo"), None);
                assert_eq!(now.read_seat_token(&seat, &ann(), "duo2"), None);
                assert_eq!(now.read_seat_token(&seat, &PeerId::new("bob").unwrap(), "duo"), None);
                assert_eq!(now.read_seat_token(&aged(&now, &seat, 8 * 24 * 60 * 60), &ann(), "duo"), None);
            }
        }
    }

    #[test]
    fn one_kind_does_not_stand_in_for_the_other() {
        let (before, now) = (signer(7, &["a"]), signer(8, &["a"]));
        let seat = before.seat_token(
            &ann(),
            "a channel with a name that is long enough",
            &ChannelSettings::default(),
            Standing { joined_at: Position(1), is_host: false },
        );
        assert_eq!(now.read_resume_token(&seat), None);
        assert_eq!(now.read_seat_token(&token_of(&before, None), &ann(), ""), None);
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", Keys(vec![b"secret".to_vec()])), "1 keys");
    }
}
