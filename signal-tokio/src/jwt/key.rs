//! The signature of a token (RFC 7515).

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey},
};

use crate::{ConfigError, tokens::LEAST_KEY};

/// A key that tokens are checked with. It belongs to one algorithm, whatever a token says of itself.
#[derive(Clone)]
pub struct JwtKey(Kind);

#[derive(Clone)]
enum Kind {
    Hs256(hmac::Key),
    EdDsa([u8; 32]),
    Es256([u8; 65]),
}

/// What stands before the bytes of a public key in its DER form (RFC 5280, section 4.1): of Ed25519 (RFC 8410) and of
/// P-256 (RFC 5480).
const ED25519_HEAD: [u8; 12] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P256_HEAD: [u8; 26] =
    *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

impl JwtKey {
    /// A secret shared with whoever signs (`HS256`), at least 32 random bytes (RFC 7518, section 3.2).
    ///
    /// # Errors
    ///
    /// [`ConfigError::ShortKey`].
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        if secret.len() < LEAST_KEY {
            return Err(ConfigError::ShortKey);
        }
        Ok(Self(Kind::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret))))
    }

    /// A public key of Ed25519 (`EdDSA`, RFC 8037) or P-256 (`ES256`), as PEM (`-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::PublicKey`] when it is none.
    pub fn public_pem(pem: &str) -> Result<Self, ConfigError> {
        read_pem(pem).map(Self).ok_or(ConfigError::PublicKey)
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self.0 {
            Kind::Hs256(_) => "HS256",
            Kind::EdDsa(_) => "EdDSA",
            Kind::Es256(_) => "ES256",
        }
    }

    /// Whether the key has signed this. A secret takes the same time whatever the signature is.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Hs256(key) => hmac::verify(key, message, signature),
            Kind::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Kind::Es256(key) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature)
            }
        }
        .is_ok()
    }
}

fn read_pem(pem: &str) -> Option<Kind> {
    let pem = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let mut text = pem.strip_suffix("-----END PUBLIC KEY-----")?.to_owned();
    text.retain(|character| !character.is_ascii_whitespace());
    let der = STANDARD.decode(text).ok()?;
    let ed25519 = der.strip_prefix(&ED25519_HEAD).and_then(|key| key.try_into().ok()).map(Kind::EdDsa);
    ed25519.or_else(|| der.strip_prefix(&P256_HEAD)?.try_into().ok().map(Kind::Es256))
}
