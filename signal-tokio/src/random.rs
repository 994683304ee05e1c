//! The only place that draws random numbers.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The operating system gives no random numbers. Nothing that must not be guessed can be made then.
const NO_RANDOM: &str = "the operating system provides random numbers";

/// 128 random bits as 22 characters of base64url: a peer id, or the name of a channel.
pub(crate) fn unguessable() -> String {
    let mut bits = [0; 16];
    fill(&mut bits);
    URL_SAFE_NO_PAD.encode(bits)
}

/// A key for HMAC with SHA-256.
pub(crate) fn key() -> [u8; 32] {
    let mut key = [0; 32];
    fill(&mut key);
    key
}

pub(crate) fn number() -> u64 {
    let mut bits = [0; 8];
    fill(&mut bits);
    u64::from_ne_bytes(bits)
}

/// Some time up to `most`, so that clients do not all come back at once.
pub(crate) fn up_to(most: Duration) -> Duration {
    most.mul_f64(number() as f64 / u64::MAX as f64)
}

fn fill(bits: &mut [u8]) {
    #[cfg(test)]
    if seeded::fill(bits) {
        return;
    }
    getrandom::fill(bits).expect(NO_RANDOM);
}

/// For tests that have to be repeated exactly: the numbers of this thread come from a seed.
#[cfg(test)]
pub(crate) mod seeded {
    use std::cell::Cell;

    use crate::tests::dice::Dice;

    thread_local! {
        static DICE: Cell<Option<Dice>> = const { Cell::new(None) };
    }

    pub(crate) fn from(seed: u64) {
        DICE.set(Some(Dice::new(seed)));
    }

    pub(super) fn fill(bits: &mut [u8]) -> bool {
        let Some(mut dice) = DICE.take() else { return false };
        bits.fill_with(|| dice.below(256) as u8);
        DICE.set(Some(dice));
        true
    }
}
