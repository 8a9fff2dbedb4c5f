//! Making keys and tokens, for tests and small set-ups that have no identity provider.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pem::{EncodeConfig, LineEnding, Pem, encode_config};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Serialize;

use super::eddsa;

/// What stands before the 32 bytes of an Ed25519 key in a public key's DER (RFC 8410).
const PUBLIC_KEY_DER_START: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A new pair of keys, as PEM.
pub struct KeyPair {
    /// Signs tokens: to be kept secret.
    pub private_pem: String,
    /// Checks them: for `--auth-key`.
    pub public_pem: String,
}

impl KeyPair {
    /// A new Ed25519 pair; `None` if the operating system gave no randomness.
    pub fn generate() -> Option<Self> {
        let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).ok()?;
        let public = [&PUBLIC_KEY_DER_START, pair.public_key().as_ref()].concat();
        let text = |tag: &str, der: Vec<u8>| {
            encode_config(&Pem::new(tag, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
        };
        Some(KeyPair {
            private_pem: text("PRIVATE KEY", private.as_ref().to_vec()),
            public_pem: text("PUBLIC KEY", public),
        })
    }
}

/// What a token says.
#[derive(Debug, Clone, Serialize)]
pub struct Token {
    /// Who acts.
    pub sub: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// When it was made, in seconds since 1970.
    pub iat: u64,
    /// When it ends, in seconds since 1970.
    pub exp: u64,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
}

impl Token {
    /// A token for so long from now.
    pub fn new(sub: impl Into<String>, roles: &[impl AsRef<str>], from: SystemTime, valid: Duration) -> Self {
        let iat = from.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let roles = roles.iter().map(|role| role.as_ref().to_owned()).collect();
        let exp = iat.saturating_add(valid.as_secs());
        Token { sub: sub.into(), roles, iat, exp, iss: None, aud: None }
    }

    /// The token as text, signed with an Ed25519 private key in PEM (PKCS #8); else what is wrong with the key.
    pub fn signed(&self, private_pem: &[u8]) -> Result<String, String> {
        eddsa::install();
        let wanted = |fault: jsonwebtoken::errors::Error| {
            format!("wanted an Ed25519 private key (-----BEGIN PRIVATE KEY-----): {fault}")
        };
        let key = EncodingKey::from_ed_pem(private_pem).map_err(wanted)?;
        encode(&Header::new(Algorithm::EdDSA), self, &key).map_err(wanted)
    }
}
