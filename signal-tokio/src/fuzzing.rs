//! What the fuzz target of tokens reaches that nobody else does: this module is there with `--cfg fuzzing` only.

use std::time::Duration;

use signal_core::{ChannelSettings, Epoch, PeerId, Standing};

use crate::{
    Jwt,
    tokens::{Keys, Signer, Ticket},
};

/// A server's keys, and its life.
#[expect(missing_debug_implementations, reason = "it holds keys")]
pub struct Tokens(Signer);

/// What a resume token says: epoch, session, counter, peer.
pub type Resumed = (u64, u64, u32, PeerId);

impl Tokens {
    /// With one random key if there are none.
    #[must_use]
    pub fn new(keys: &[[u8; 32]], epoch: u64) -> Self {
        let keys = Keys(keys.iter().map(|key| key.to_vec()).collect());
        Self(Signer::new(&keys, Epoch(epoch), Duration::from_secs(60 * 60)))
    }

    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        self.0.sign(body.to_vec())
    }

    #[must_use]
    pub fn resume(&self, (epoch, session, counter, peer): &Resumed, identity: Option<&str>) -> String {
        self.0.resume_token(
            Ticket { epoch: Epoch(*epoch), session: *session, counter: *counter },
            peer,
            identity,
        )
    }

    /// What the token says, and whether it is of this identity.
    #[must_use]
    pub fn read_resume(&self, text: &str, identity: Option<&str>) -> Option<(Resumed, bool)> {
        let token = self.0.read_resume_token(text)?;
        let is_of = token.is_of(identity);
        let Ticket { epoch, session, counter } = token.ticket;
        Some(((epoch.0, session, counter, token.peer), is_of))
    }

    #[must_use]
    pub fn seat(
        &self,
        peer: &PeerId,
        channel: &str,
        settings: &ChannelSettings,
        standing: Standing,
    ) -> String {
        self.0.seat_token(peer, channel, settings, standing)
    }

    #[must_use]
    pub fn read_seat(&self, text: &str, peer: &PeerId, channel: &str) -> Option<(ChannelSettings, Standing)> {
        self.0.read_seat_token(text, peer, channel).map(|seat| (seat.settings, seat.standing))
    }
}

/// Who comes with a JSON Web Token, and whether it may join this channel and wait in this pool.
#[must_use]
pub fn lets_in(
    jwt: &Jwt,
    token: &str,
    now: f64,
    channel: &str,
    pool: &str,
) -> Option<(Box<str>, bool, bool)> {
    jwt.lets_in(token, now, channel, pool)
}
