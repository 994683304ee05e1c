//! The only place that draws random numbers.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The operating system gives no random numbers. Nothing that must not be guessed can be made then.
const NO_RANDOM: &str = "the operating system provides random numbers";

/// 128 random bits as 22 characters of base64url: a peer id, or the name of a channel.
pub(crate) fn unguessable() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect(NO_RANDOM);
    URL_SAFE_NO_PAD.encode(bits)
}

/// A key for HMAC with SHA-256.
pub(crate) fn key() -> [u8; 32] {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect(NO_RANDOM);
    key
}

pub(crate) fn number() -> u64 {
    getrandom::u64().expect(NO_RANDOM)
}

/// Some time up to `most`, so that clients do not all come back at once.
pub(crate) fn up_to(most: Duration) -> Duration {
    most.mul_f64(number() as f64 / u64::MAX as f64)
}
