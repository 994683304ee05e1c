//! The policy that lets clients in by JSON Web Tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};
use signal_tokio::{Builder, Jwt, JwtKey};

use crate::{Adapter, client::Client, policy::ByName, server::Server};

rules! { ($) jwt:
    a_good_token_says_who_one_is_and_where_one_may_go,
    bad_tokens_are_refused_alike,
    the_capacity_of_a_channel_is_that_of_its_first_member,
    who_comes_back_may_do_what_the_fresh_token_says,
    a_session_is_resumed_with_a_good_token_of_the_same_subject_only,
}

const SECRET: [u8; 32] = [7; 32];
const HOUR: f64 = 3600.0;

async fn a_good_token_says_who_one_is_and_where_one_may_go(adapter: Adapter) {
    let server = adapter.start_with(by_token).await;
    let sig = json!({ "room": "room", "room_prefix": "team/", "match_pools": ["pool"] });
    let mut ann = server.welcomed(&hello(&token("ann", HOUR, &sig))).await;
    let mut bob = server.welcomed(&hello(&token("bob", HOUR, &sig))).await;
    ann.join("room").await;
    assert_eq!(bob.join("room").await[0]["identity"], "ann");
    assert_eq!(ann.expect("addPeer").await["identity"], "bob");
    ann.join("team/a").await;
    for elsewhere in ["Room", "room2", "team"] {
        is_refused(&mut ann, &format!(r#"{{"type":"join","channel":"{elsewhere}"}}"#)).await;
    }
    is_refused(&mut ann, r#"{"type":"match","pool":"room"}"#).await;
    ann.search("pool").await;
    ann.expect("waiting").await;
    bob.search("pool").await;
    ann.expect_match(&bob).await;
}

async fn bad_tokens_are_refused_alike(adapter: Adapter) {
    let server = adapter.start_with(by_token).await;
    let sig = json!({ "room": "room" });
    let claims = |changes: Value| {
        let mut claims = json!({ "sub": "ann", "exp": now() + HOUR, "aud": "signal", "sig": sig });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let good = claims(json!({}));
    let unsigned = signed("none", &good, &SECRET);
    let mut refused = vec![
        r#"{"type":"hello","version":1}"#.to_owned(),
        hello(""),
        hello("x"),
        hello(&"x".repeat(4096)),
        hello(&signed("HS256", &good, &[8; 32])),
        hello(&unsigned),
        hello(&format!("{}.", unsigned.rsplit_once('.').unwrap().0)),
        hello(&signed("EdDSA", &good, &SECRET)),
    ];
    let changes = [
        json!({ "exp": now() - 61.0 }),
        json!({ "exp": now() + 7.0 * HOUR }),
        json!({ "nbf": now() + 120.0 }),
        json!({ "aud": "mail" }),
        json!({ "sub": null }),
        json!({ "sig": { "admin": true } }),
    ];
    refused.extend(changes.map(|changes| hello(&signed("HS256", &claims(changes), &SECRET))));
    for hello in refused {
        let mut client = server.socket().await;
        client.say(&hello).await;
        let error = client.hear_text().await;
        let expected = r#"{"type":"error","code":"unauthorized","message":"This token is not accepted."}"#;
        assert_eq!(error, expected, "{hello}");
        client.expect_close(4003, "unauthorized").await;
    }
    server.welcomed(&hello(&signed("HS256", &good, &SECRET))).await;
    // As long as the codec lets through.
    let mut client = server.socket().await;
    client.say(hello(&"x".repeat(4097))).await;
    client.expect_error("bad_message").await;
}

async fn the_capacity_of_a_channel_is_that_of_its_first_member(adapter: Adapter) {
    let server = adapter.start_with(by_token).await;
    let sig = |most: u32| json!({ "room": "room", "max_peers": most });
    let mut ann = server.welcomed(&hello(&token("ann", HOUR, &sig(1)))).await;
    ann.join("room").await;
    let mut bob = server.welcomed(&hello(&token("bob", HOUR, &sig(9)))).await;
    bob.say(r#"{"type":"join","channel":"room"}"#).await;
    bob.expect_error("channel_full").await;
}

async fn who_comes_back_may_do_what_the_fresh_token_says(adapter: Adapter) {
    let server = adapter.start_with(by_token).await;
    let mut ann = server.welcomed(&hello(&token("ann", HOUR, &json!({ "room": "one" })))).await;
    is_refused(&mut ann, r#"{"type":"join","channel":"two"}"#).await;
    let fresh = token("ann", HOUR, &json!({ "room": "two" }));
    let (mut ann, welcome) = resume(&server, &fresh, ann).await;
    assert_eq!(welcome["resumed"], true);
    ann.join("two").await;
    is_refused(&mut ann, r#"{"type":"join","channel":"one"}"#).await;
}

async fn a_session_is_resumed_with_a_good_token_of_the_same_subject_only(adapter: Adapter) {
    let server = adapter.start_with(by_token).await;
    let sig = json!({ "room": "room" });
    let ann = server.welcomed(&hello(&token("ann", HOUR, &sig))).await;
    let (resume_token, received) = (ann.token.clone(), ann.received);
    let with = |token: &str| {
        let resume = json!({ "token": resume_token, "received": received });
        json!({ "type": "hello", "version": 1, "token": token, "resume": resume }).to_string()
    };
    let mut expired = server.socket().await;
    expired.say(with(&token("ann", -61.0, &sig))).await;
    expired.expect_error("unauthorized").await;
    expired.expect_close(4003, "unauthorized").await;
    let mut mal = server.socket().await;
    mal.say(with(&token("mal", HOUR, &sig))).await;
    assert_eq!(mal.read_welcome().await["resumed"], false);
    let (_, welcome) = resume(&server, &token("ann", HOUR, &sig), ann).await;
    assert_eq!(welcome["resumed"], true);
}

/// What can be wrong with a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
    Expired,
    TooEarly,
    OtherKey,
    Unsigned,
}

/// A `hello` with a good token for that channel.
pub(super) fn hello_for(channel: &str) -> String {
    hello(&token("anybody", HOUR, &json!({ "room": channel })))
}

/// A `hello` with a token that would be good without this.
pub(super) fn hello_with(flaw: Flaw) -> String {
    let mut claims = json!({ "sub": "ann", "exp": now() + HOUR, "aud": "signal", "sig": { "room": "room" } });
    let token = match flaw {
        Flaw::Expired => {
            claims["exp"] = json!(now() - 61.0);
            signed("HS256", &claims, &SECRET)
        }
        Flaw::TooEarly => {
            claims["nbf"] = json!(now() + 120.0);
            signed("HS256", &claims, &SECRET)
        }
        Flaw::OtherKey => signed("HS256", &claims, &[8; 32]),
        Flaw::Unsigned => signed("none", &claims, &SECRET),
    };
    hello(&token)
}

pub(super) fn by_token(builder: Builder<ByName>) -> Builder<Jwt> {
    let key = JwtKey::hs256(SECRET).unwrap();
    builder.policy(Jwt::new([key]).unwrap().audience("signal"))
}

async fn resume(server: &Server, token: &str, before: Client) -> (Client, Value) {
    let resume = json!({ "token": before.token, "received": before.received });
    let mut client = server.socket().await;
    client.say(json!({ "type": "hello", "version": 1, "token": token, "resume": resume }).to_string()).await;
    client.received = before.received;
    let welcome = client.read_welcome().await;
    (client, welcome)
}

async fn is_refused(client: &mut Client, request: &str) {
    client.say(request).await;
    let error = client.expect_error("unauthorized").await;
    assert_eq!(error["message"], "The token does not allow this, or not any more.");
}

pub(super) fn hello(token: &str) -> String {
    json!({ "type": "hello", "version": 1, "token": token }).to_string()
}

fn token(subject: &str, life: f64, sig: &Value) -> String {
    signed("HS256", &json!({ "sub": subject, "exp": now() + life, "aud": "signal", "sig": sig }), &SECRET)
}

fn signed(algorithm: &str, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = format!("{}.{}", part(&json!({ "alg": algorithm })), part(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.as_ref().map_or(0.0, Duration::as_secs_f64)
}
