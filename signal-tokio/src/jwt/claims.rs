//! What a token says.

use std::{num::NonZeroU32, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::JwtKey;

/// By how many seconds clocks may differ.
const LEEWAY: f64 = 60.0;

/// No longer token comes through the codec.
const LONGEST_TOKEN: usize = 4096;

const LONGEST_SUBJECT: usize = 128;

/// What is wrong with a token. For the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Missing,
    Malformed,
    Algorithm,
    Signature,
    Claims,
    Subject,
    Expired,
    TooEarly,
    TooLong,
    Issuer,
    Audience,
}

/// What a token has to be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) longest: Duration,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// What has to be understood besides (RFC 7515, section 4.1.11).
    crit: Option<IgnoredAny>,
}

/// Times are seconds since 1970, and may have fractions (RFC 7519, section 2).
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: Box<str>,
    exp: f64,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
    #[serde(default)]
    sig: Grants,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a client may do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Grants {
    room: Option<String>,
    room_prefix: Option<String>,
    pub(super) max_peers: Option<NonZeroU32>,
    pub(super) host: bool,
    match_pools: Vec<String>,
}

impl Default for Grants {
    fn default() -> Self {
        Self { room: None, room_prefix: None, max_peers: None, host: true, match_pools: Vec::new() }
    }
}

/// Who has come with a token, and what is kept of it.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) subject: Box<str>,
    expires: f64,
    pub(super) grants: Grants,
}

/// Reads a token in its compact form (RFC 7515, section 7.1), if one of the keys has signed it. Nothing but the algorithm
/// is looked at before that.
pub(super) fn read(token: &str, keys: &[JwtKey]) -> Result<Claims, Flaw> {
    if token.len() > LONGEST_TOKEN {
        return Err(Flaw::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Flaw::Malformed)?;
    let header: Header = decode(header).ok_or(Flaw::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Flaw::Malformed)?;
    let mut of_algorithm = keys.iter().filter(|key| key.algorithm() == header.alg).peekable();
    if header.crit.is_some() || of_algorithm.peek().is_none() {
        return Err(Flaw::Algorithm);
    }
    if !of_algorithm.any(|key| key.has_signed(signed.as_bytes(), &signature)) {
        return Err(Flaw::Signature);
    }
    decode(claims).ok_or(Flaw::Claims)
}

/// A part is an object in UTF-8 (RFC 7519, section 7.2), even where nobody looks. An array would do for serde.
fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    let is_object = json.trim_ascii_start().starts_with('{');
    if is_object { serde_json::from_str(&json).ok() } else { None }
}

impl Claims {
    pub(super) fn check(self, expected: &Expected, now: f64) -> Result<Login, Flaw> {
        let is_subject =
            (1..=LONGEST_SUBJECT).contains(&self.sub.len()) && !self.sub.contains(char::is_control);
        let is_for = |audience: &String| match &self.aud {
            Some(Audience::One(one)) => one == audience,
            Some(Audience::Many(many)) => many.contains(audience),
            None => false,
        };
        let flaws = [
            (!is_subject, Flaw::Subject),
            (self.exp + LEEWAY <= now, Flaw::Expired),
            (self.exp > now + expected.longest.as_secs_f64() + LEEWAY, Flaw::TooLong),
            (self.nbf.is_some_and(|begin| begin > now + LEEWAY), Flaw::TooEarly),
            (expected.issuer.is_some() && expected.issuer != self.iss, Flaw::Issuer),
            (
                expected.audience.as_ref().map_or(self.aud.is_some(), |audience| !is_for(audience)),
                Flaw::Audience,
            ),
        ];
        match flaws.into_iter().find(|(is_flawed, _)| *is_flawed) {
            Some((_, flaw)) => Err(flaw),
            None => Ok(Login { subject: self.sub, expires: self.exp, grants: self.sig }),
        }
    }
}

impl Login {
    pub(super) fn lives(&self, now: f64) -> bool {
        now < self.expires + LEEWAY
    }
}

impl Grants {
    pub(super) fn allows_channel(&self, name: &str) -> bool {
        self.room.as_deref() == Some(name)
            || self.room_prefix.as_deref().is_some_and(|prefix| name.starts_with(prefix))
    }

    pub(super) fn allows_pool(&self, name: &str) -> bool {
        self.match_pools.iter().any(|pool| pool == name)
    }
}
