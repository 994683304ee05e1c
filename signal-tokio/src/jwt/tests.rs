use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};

use super::{claims::Flaw, *};

const SECRET: [u8; 32] = [7; 32];
const NOW: f64 = 1_800_000_000.0;

/// The key of RFC 8037, appendix A.2, and a token of its appendix A.4.
const ED25519: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
const ED25519_SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn key() -> JwtKey {
    JwtKey::hs256(SECRET).unwrap()
}

fn signed_as(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = format!("{}.{}", part(header), part(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signed(claims: &Value) -> String {
    signed_as(&json!({ "alg": "HS256", "typ": "JWT" }), claims, &SECRET)
}

/// Claims that are in order, but for these.
fn claims(changes: Value) -> Value {
    let mut claims = json!({ "sub": "ann", "exp": NOW + 60.0, "sig": { "room": "room" } });
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    claims.as_object_mut().unwrap().extend(changes);
    claims
}

fn flaw(jwt: &Jwt, token: &str) -> Option<Flaw> {
    claims::read(token, &jwt.keys).and_then(|claims| claims.check(&jwt.expected, NOW)).err()
}

fn flaw_of(changes: Value) -> Option<Flaw> {
    flaw(&Jwt::new([key()]).unwrap(), &signed(&claims(changes)))
}

#[test]
fn signatures_of_the_rfcs_are_right() {
    let es256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n\
                 6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n-----END PUBLIC KEY-----";
    let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    // RFC 7515, appendices A.1 and A.3.
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let hs256 = JwtKey::hs256(URL_SAFE_NO_PAD.decode(secret).unwrap()).unwrap();
    let tokens = [
        (
            hs256,
            format!(
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            ),
        ),
        (
            JwtKey::public_pem(es256).unwrap(),
            format!(
                "eyJhbGciOiJFUzI1NiJ9.{claims}.\
                 DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
            ),
        ),
        (JwtKey::public_pem(ED25519).unwrap(), ED25519_SIGNED.to_owned()),
    ];
    for (key, token) in tokens {
        let (body, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.has_signed(body.as_bytes(), &signature), "{key:?}");
        assert!(!key.has_signed(&body.as_bytes()[1..], &signature), "{key:?}");
        signature[9] ^= 1;
        assert!(!key.has_signed(body.as_bytes(), &signature), "{key:?}");
        assert!(!key.has_signed(body.as_bytes(), &[]), "{key:?}");
    }
}

#[test]
fn no_algorithm_stands_in_for_another() {
    let public = JwtKey::public_pem(ED25519).unwrap();
    let only_public = Jwt::new([public.clone()]).unwrap();
    let both = Jwt::new([public, key()]).unwrap();
    // What anybody could sign who knows the public key, taken as a secret.
    let bytes = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    for secret in [bytes.as_slice(), ED25519.as_bytes()] {
        let token = signed_as(&json!({ "alg": "HS256" }), &claims(json!({})), secret);
        assert_eq!(flaw(&only_public, &token), Some(Flaw::Algorithm));
        assert_eq!(flaw(&both, &token), Some(Flaw::Signature));
        let token = signed_as(&json!({ "alg": "EdDSA" }), &claims(json!({})), secret);
        assert_eq!(flaw(&only_public, &token), Some(Flaw::Signature));
    }
    let good = signed(&claims(json!({})));
    assert_eq!(flaw(&both, &good), None);
    for alg in ["none", "None", "NONE", "", "hs256", "HS384", "RS256"] {
        let token = signed_as(&json!({ "alg": alg }), &claims(json!({})), &SECRET);
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(flaw(&both, &token), Some(Flaw::Algorithm), "{alg}");
        assert_eq!(flaw(&both, &unsigned), Some(Flaw::Algorithm), "{alg}");
    }
    let critical = signed_as(&json!({ "alg": "HS256", "crit": ["b64"] }), &claims(json!({})), &SECRET);
    assert_eq!(flaw(&both, &critical), Some(Flaw::Algorithm));
}

#[test]
fn each_of_the_keys_may_have_signed() {
    let old = JwtKey::hs256([8; 32]).unwrap();
    let token = signed_as(&json!({ "alg": "HS256", "kid": "2" }), &claims(json!({})), &[8; 32]);
    assert_eq!(flaw(&Jwt::new([key(), old]).unwrap(), &token), None);
    assert_eq!(flaw(&Jwt::new([key()]).unwrap(), &token), Some(Flaw::Signature));
}

#[test]
fn a_part_is_an_object_in_utf_8() {
    let jwt = Jwt::new([key()]).unwrap();
    let signed = |header: &[u8], claims: &[u8]| {
        let body = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET), body.as_bytes());
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let (header, claims) = (&br#"{"alg":"HS256"}"#[..], &br#"{"sub":"ann","exp":1800000060}"#[..]);
    assert_eq!(flaw(&jwt, &signed(header, claims)), None);
    for bad in [&b"{\"alg\":\"HS256\",\"typ\":\"\xec\"}"[..], br#"["HS256",null]"#] {
        assert_eq!(flaw(&jwt, &signed(bad, claims)), Some(Flaw::Malformed));
    }
    for bad in
        [&b"{\"sub\":\"ann\",\"exp\":1800000060,\"x\":\"\xec\"}"[..], br#"["ann",1800000060,null,null,null]"#]
    {
        assert_eq!(flaw(&jwt, &signed(header, bad)), Some(Flaw::Claims));
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let jwt = Jwt::new([key()]).unwrap();
    let good = signed(&claims(json!({})));
    assert_eq!(flaw(&jwt, &good), None);
    let (body, signature) = good.rsplit_once('.').unwrap();
    let long = ".".repeat(4096);
    assert_eq!(flaw_of(json!({ "x": "x".repeat(2000) })), None, "an unknown claim is ignored");
    for token in ["", ".", "..", "...", body, &format!("{body}.{signature}="), &long] {
        assert_eq!(flaw(&jwt, token), Some(Flaw::Malformed), "{token:.40}");
    }
    for token in [format!("{body}."), format!("{good}.{signature}")] {
        assert_eq!(flaw(&jwt, &token), Some(Flaw::Signature), "{token}");
    }
    let padded = signed(&claims(json!({ "x": "x".repeat(4096) })));
    assert_eq!(flaw(&jwt, &padded), Some(Flaw::Malformed));
    for wrong in [json!([]), json!("ann"), json!({ "sub": "ann" }), json!({ "exp": NOW })] {
        assert_eq!(flaw(&jwt, &signed(&wrong)), Some(Flaw::Claims), "{wrong}");
    }
}

#[test]
fn a_token_holds_in_its_time_only() {
    for (exp, expected) in [
        (NOW - 59.0, None),
        (NOW - 60.0, Some(Flaw::Expired)),
        (-1e300, Some(Flaw::Expired)),
        (NOW + 6.0 * 3600.0, None),
        (NOW + 6.0 * 3600.0 + 61.0, Some(Flaw::TooLong)),
        (1e300, Some(Flaw::TooLong)),
    ] {
        assert_eq!(flaw_of(json!({ "exp": exp })), expected, "{exp}");
    }
    assert_eq!(flaw_of(json!({ "exp": "1" })), Some(Flaw::Claims));
    assert_eq!(flaw_of(json!({ "exp": null })), Some(Flaw::Claims));
    assert_eq!(flaw_of(json!({ "nbf": NOW + 60.0 })), None);
    assert_eq!(flaw_of(json!({ "nbf": NOW + 61.0 })), Some(Flaw::TooEarly));
    let jwt = Jwt::new([key()]).unwrap().longest(Duration::from_secs(1));
    assert_eq!(flaw(&jwt, &signed(&claims(json!({ "exp": NOW + 62.0 })))), Some(Flaw::TooLong));
}

#[test]
fn a_token_is_by_and_for_whom_it_has_to_be() {
    let jwt = Jwt::new([key()]).unwrap().issuer("login").audience("signal");
    for (iss, aud, expected) in [
        (json!("login"), json!("signal"), None),
        (json!("login"), json!(["mail", "signal"]), None),
        (json!("login"), json!(["mail"]), Some(Flaw::Audience)),
        (json!("login"), json!([]), Some(Flaw::Audience)),
        (json!("login"), json!(null), Some(Flaw::Audience)),
        (json!("logi"), json!("signal"), Some(Flaw::Issuer)),
        (json!(null), json!("signal"), Some(Flaw::Issuer)),
        (json!("login"), json!(7), Some(Flaw::Claims)),
    ] {
        let token = signed(&claims(json!({ "iss": iss, "aud": aud })));
        assert_eq!(flaw(&jwt, &token), expected, "{iss} {aud}");
    }
    // RFC 7519, section 4.1.3: who is not meant refuses it.
    assert_eq!(flaw_of(json!({ "aud": "signal" })), Some(Flaw::Audience));
}

#[test]
fn the_subject_is_short_and_printable() {
    for (sub, expected) in [
        (json!("Zoë"), None),
        (json!("x".repeat(128)), None),
        (json!("x".repeat(129)), Some(Flaw::Subject)),
        (json!(""), Some(Flaw::Subject)),
        (json!("a\nb"), Some(Flaw::Subject)),
        (json!(null), Some(Flaw::Claims)),
    ] {
        assert_eq!(flaw_of(json!({ "sub": sub })), expected, "{sub}");
    }
}

#[test]
fn nothing_but_what_is_granted_is_allowed() {
    let jwt = Jwt::new([key()]).unwrap();
    let login = |sig| {
        let token = signed(&claims(json!({ "sig": sig })));
        jwt.login(Some(&token), NOW)
    };
    let none = login(json!({})).unwrap();
    let one = login(json!({ "room": "blue", "max_peers": 2, "host": false })).unwrap();
    let some = login(json!({ "room_prefix": "team/", "match_pools": ["chess"] })).unwrap();
    let all = login(json!({ "room_prefix": "" })).unwrap();
    for (name, allowed) in [
        ("blue", [false, true, false, true]),
        ("blue2", [false, false, false, true]),
        ("Blue", [false, false, false, true]),
        ("team/a", [false, false, true, true]),
        ("team", [false, false, false, true]),
    ] {
        let joins = [&none, &one, &some, &all].map(|login| jwt.join_at(login, name, NOW).is_ok());
        assert_eq!(joins, allowed, "{name}");
    }
    let grant = jwt.join_at(&one, "blue", NOW).unwrap();
    assert_eq!((grant.settings.capacity, grant.hosting), (2, Hosting::Never));
    assert_eq!(jwt.join_at(&all, "blue", NOW).unwrap(), JoinGrant::default());
    assert!(jwt.match_at(&some, "chess", NOW).is_ok());
    assert!(jwt.match_at(&some, "team/a", NOW).is_err());
    assert!(jwt.match_at(&all, "chess", NOW).is_err());
    for wrong in [json!({ "join": false }), json!({ "max_peers": 0 }), json!({ "room": 1 }), json!("all")] {
        assert!(login(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn the_end_of_a_token_is_checked_at_each_join() {
    let jwt = Jwt::new([key()]).unwrap();
    let token = signed(&claims(json!({ "sig": { "room": "room", "match_pools": ["pool"] } })));
    let login = jwt.login(Some(&token), NOW).unwrap();
    for (later, is_alive) in [(0.0, true), (119.0, true), (120.0, false), (1e9, false)] {
        assert_eq!(jwt.join_at(&login, "room", NOW + later).is_ok(), is_alive, "{later}");
        assert_eq!(jwt.match_at(&login, "pool", NOW + later).is_ok(), is_alive, "{later}");
    }
}

#[test]
fn all_bad_tokens_are_refused_alike() {
    let jwt = Jwt::new([key()]).unwrap();
    let expired = signed(&claims(json!({ "exp": 1 })));
    let forged = signed_as(&json!({ "alg": "HS256" }), &claims(json!({})), &[8; 32]);
    let refusals = [None, Some(""), Some("x.y.z"), Some(expired.as_str()), Some(forged.as_str())]
        .map(|token| jwt.login(token, NOW).unwrap_err());
    assert!(refusals.iter().all(|refusal| *refusal == Refusal::unauthorized("This token is not accepted.")));
}

#[test]
fn keys_are_what_they_have_to_be() {
    assert_eq!(JwtKey::hs256([0; 31]).unwrap_err(), ConfigError::ShortKey);
    let cut = ED25519.replace("ACK", "").replace("MCow", "");
    let private = ED25519.replace("PUBLIC", "PRIVATE");
    for pem in ["", "x", &cut, &private] {
        assert_eq!(JwtKey::public_pem(pem).unwrap_err(), ConfigError::PublicKey, "{pem}");
    }
    assert!(matches!(Jwt::new([]), Err(ConfigError::Zero(_))));
    assert!(Jwt::new(vec![key(); 8]).is_ok());
    assert_eq!(Jwt::new(vec![key(); 9]).unwrap_err(), ConfigError::TooManyKeys(8));
    assert_eq!(format!("{:?}", key()), r#"JwtKey("HS256")"#);
}
