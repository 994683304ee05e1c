//! JSON Web Tokens that are signed with private keys, of which the server has the public ones; and what they say of hosts.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use signal_tokio::{ChannelSettings, Jwt, JwtKey, Topology};

use super::jwt::{hello, now};
use crate::{Adapter, server::Server};

rules! { ($) signatures:
    who_shows_a_token_signed_with_a_private_key_is_let_in,
    one_key_does_not_sign_for_another,
    who_may_not_be_the_host_waits_for_somebody_who_may,
}

/// What stands before the bytes of a public key in a PEM file (RFC 8410, RFC 5480).
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

enum Private {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
}

impl Private {
    fn ed25519(seed: u8) -> Self {
        Self::EdDsa(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn p256() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Es256(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::EdDsa(_) => "EdDSA",
            Self::Es256(_) => "ES256",
        }
    }

    fn public(&self) -> JwtKey {
        let (head, key) = match self {
            Self::EdDsa(key) => (ED25519, key.public_key().as_ref()),
            Self::Es256(key) => (P256, key.public_key().as_ref()),
        };
        let key = STANDARD.encode([head, key].concat());
        JwtKey::public_pem(&format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n")).unwrap()
    }

    /// A `hello` with a token that says to be signed by `algorithm`.
    fn hello(&self, algorithm: &str, subject: &str, sig: Value) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "sub": subject, "exp": now() + 3600.0, "sig": sig });
        let body = format!("{}.{}", part(json!({ "alg": algorithm })), part(claims));
        let signature = match self {
            Self::EdDsa(key) => key.sign(body.as_bytes()).as_ref().to_vec(),
            Self::Es256(key) => key.sign(&SystemRandom::new(), body.as_bytes()).unwrap().as_ref().to_vec(),
        };
        hello(&format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

async fn start(adapter: Adapter, keys: &[&Private], topology: Topology) -> Server {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    let settings = ChannelSettings { topology, ..ChannelSettings::default() };
    adapter.start_with(|builder| builder.policy(Jwt::new(keys).unwrap().settings(settings))).await
}

async fn who_shows_a_token_signed_with_a_private_key_is_let_in(adapter: Adapter) {
    let (ed25519, p256) = (Private::ed25519(7), Private::p256());
    let server = start(adapter, &[&ed25519, &p256], Topology::Mesh).await;
    let sig = || json!({ "room": "room" });
    let mut ann = server.welcomed(&ed25519.hello("EdDSA", "ann", sig())).await;
    let mut bob = server.welcomed(&p256.hello("ES256", "bob", sig())).await;
    ann.join("room").await;
    assert_eq!(bob.join("room").await[0]["identity"], "ann");
    assert_eq!(ann.expect("addPeer").await["identity"], "bob");
    ann.say(r#"{"type":"join","channel":"elsewhere"}"#).await;
    ann.expect_error("unauthorized").await;
}

async fn one_key_does_not_sign_for_another(adapter: Adapter) {
    let (ed25519, p256) = (Private::ed25519(7), Private::p256());
    let server = start(adapter, &[&ed25519, &p256], Topology::Mesh).await;
    let strangers = [Private::ed25519(8), Private::p256()];
    let confused = [(&ed25519, "ES256"), (&p256, "EdDSA"), (&ed25519, "HS256"), (&p256, "none")];
    let strange = strangers.iter().map(|key| (key, key.algorithm()));
    for (key, algorithm) in confused.into_iter().chain(strange) {
        let mut client = server.socket().await;
        client.say(key.hello(algorithm, "ann", json!({ "room": "room" }))).await;
        client.expect_error("unauthorized").await;
        client.expect_close(4003, "unauthorized").await;
    }
    // A key of which the server does not know the other half either.
    let server = start(adapter, &[&ed25519], Topology::Mesh).await;
    let mut client = server.socket().await;
    client.say(p256.hello("ES256", "ann", json!({ "room": "room" }))).await;
    client.expect_error("unauthorized").await;
    server.welcomed(&ed25519.hello("EdDSA", "ann", json!({ "room": "room" }))).await;
}

async fn who_may_not_be_the_host_waits_for_somebody_who_may(adapter: Adapter) {
    let key = Private::ed25519(7);
    let server = start(adapter, &[&key], Topology::Star).await;
    let viewer = |name: &str| key.hello("EdDSA", name, json!({ "room": "stage", "host": false }));
    let (mut ann, mut bob) = (server.welcomed(&viewer("ann")).await, server.welcomed(&viewer("bob")).await);
    ann.join("stage").await;
    assert_eq!(bob.join("stage").await, Vec::<Value>::new(), "there is no host yet");
    let host = key.hello("EdDSA", "cid", json!({ "room": "stage", "host": true }));
    let mut cid = server.welcomed(&host).await;
    let met: Vec<_> = cid.join("stage").await.iter().map(|added| added["identity"].clone()).collect();
    assert_eq!(met, ["ann", "bob"]);
    for viewer in [&mut ann, &mut bob] {
        let added = viewer.expect("addPeer").await;
        assert_eq!((&added["identity"], &added["host"]), (&"cid".into(), &true.into()));
    }
    // Nobody else follows it.
    cid.bye().await;
    for viewer in [&mut ann, &mut bob] {
        assert_eq!(viewer.expect("removePeer").await["reason"], "bye");
        assert_eq!(viewer.hear_all().await, (vec![], None));
    }
}
