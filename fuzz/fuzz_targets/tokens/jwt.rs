//! JSON Web Tokens.

use std::{
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use signal_tokio::{Jwt, JwtKey, fuzzing::lets_in};

const NOW: f64 = 1_800_000_000.0;
const SECRET: [u8; 32] = [7; 32];
/// The keys of RFC 8037 (appendix A.2) and of RFC 7515 (appendix A.3), of which nobody signs logins.
const PUBLIC: [&str; 2] = [
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
     -----END PUBLIC KEY-----",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n\
     6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n-----END PUBLIC KEY-----",
];

static KNOWN: LazyLock<Jwt> = LazyLock::new(|| jwt(SECRET));
/// Of a secret that nobody knows.
static STRANGE: LazyLock<Jwt> = LazyLock::new(|| {
    jwt([0, 1, 2, 3]
        .map(|n| RandomState::new().hash_one(n))
        .map(u64::to_be_bytes)
        .concat()
        .try_into()
        .expect("four times eight bytes"))
});
static GOOD: LazyLock<String> = LazyLock::new(|| {
    signed(br#"{"alg":"HS256"}"#, br#"{"sub":"ann","exp":1800000060,"sig":{"room":"room"}}"#)
});

/// No text is a token of a key that nobody knows.
pub(crate) fn check_made_up(token: &str) {
    assert_eq!(lets_in(&STRANGE, token, NOW, "room", "pool"), None);
}

/// Header and claims, a line each, whatever they are. What is let in is what they say.
pub(crate) fn check_signed(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (header, claims) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let token = signed(header, claims);
    check_made_up(&token);
    let Some((subject, may_join, may_wait)) = lets_in(&KNOWN, &token, NOW, "room", "pool") else { return };
    let (header, claims) = (str::from_utf8(header).expect("UTF-8"), str::from_utf8(claims).expect("UTF-8"));
    // What nobody looks at may be half a surrogate pair, or a number that fits no double.
    let values = (serde_json::from_str::<Value>(header), serde_json::from_str::<Value>(claims));
    let (Ok(header), Ok(claims)) = values else { return };
    assert!(header["alg"] == "HS256" && header["crit"].is_null());
    assert_eq!(claims["sub"], *subject);
    assert!((1..=128).contains(&subject.len()) && !subject.contains(char::is_control));
    let expires = claims["exp"].as_f64().expect("it ends");
    assert!(NOW < expires + 60.0 && expires <= NOW + 6.0 * 3600.0 + 60.0);
    assert!(claims["nbf"].as_f64().is_none_or(|begin| begin <= NOW + 60.0));
    assert!(claims["aud"].is_null());
    let grants = &claims["sig"];
    let of_prefix = grants["room_prefix"].as_str().is_some_and(|prefix| "room".starts_with(prefix));
    assert_eq!(may_join, grants["room"] == "room" || of_prefix);
    let pools = grants["match_pools"].as_array();
    assert_eq!(may_wait, pools.is_some_and(|pools| pools.iter().any(|pool| pool == "pool")));
}

/// No other text stands for the same token.
pub(crate) fn check_changed(edits: &[u8]) {
    assert!(lets_in(&KNOWN, &GOOD, NOW, "room", "pool").is_some());
    if let Some(token) = crate::changed(&GOOD, edits) {
        assert_eq!(lets_in(&KNOWN, &token, NOW, "room", "pool"), None);
    }
}

fn jwt(secret: [u8; 32]) -> Jwt {
    let secret = JwtKey::hs256(secret).expect("it is long enough");
    let public = PUBLIC.map(|pem| JwtKey::public_pem(pem).expect("it is a key"));
    Jwt::new(public.into_iter().chain([secret])).expect("three keys are not too many")
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let body = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
