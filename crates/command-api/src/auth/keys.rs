//! The public keys whose tokens are taken: PEM files, or a JSON Web Key Set.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::eddsa;

/// Public keys, each perhaps with an id that tokens name.
#[derive(Default)]
pub struct Keys(Vec<(Option<String>, DecodingKey)>);

/// What is no key.
#[derive(Debug, Error)]
pub enum KeyFault {
    /// A PEM file.
    #[error("wanted an Ed25519 public key (-----BEGIN PUBLIC KEY-----), found something else: {0}")]
    NotPem(#[source] jsonwebtoken::errors::Error),
    /// A key set.
    #[error("wanted a JSON Web Key Set ({{\"keys\": […]}}): {0}")]
    NotJwks(#[source] serde_json::Error),
    /// A key set of other algorithms.
    #[error("the key set holds no Ed25519 key (\"kty\": \"OKP\", \"crv\": \"Ed25519\")")]
    NoneUsable,
}

impl Keys {
    /// Adds the Ed25519 public key of a PEM file.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), KeyFault> {
        self.0.push((None, DecodingKey::from_ed_pem(pem).map_err(KeyFault::NotPem)?));
        Ok(())
    }

    /// Adds the Ed25519 keys of a JSON Web Key Set; keys of other algorithms are somebody else's.
    pub fn add_jwks(&mut self, json: &[u8]) -> Result<(), KeyFault> {
        let JwkSet { keys } = serde_json::from_slice(json).map_err(KeyFault::NotJwks)?;
        let before = self.0.len();
        for key in keys {
            let is_ed25519 = matches!(&key.algorithm, AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519);
            if is_ed25519 && let Ok(decoding) = DecodingKey::from_jwk(&key) {
                self.0.push((key.common.key_id, decoding));
            }
        }
        if self.0.len() == before { Err(KeyFault::NoneUsable) } else { Ok(()) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The claims of a token that one of the keys signed; else why not, in words for its owner.
    pub(super) fn decode<T: DeserializeOwned>(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Result<T, String> {
        eddsa::install();
        let named = decode_header(token).map_err(|fault| fault.to_string())?.kid;
        let mut why = match &named {
            Some(named) => format!("no key of this service has the id {named:?}"),
            None => "this service has no key".to_owned(),
        };
        for (id, key) in &self.0 {
            if id.is_some() && named.is_some() && *id != named {
                continue;
            }
            match decode(token, key, validation) {
                Ok(data) => return Ok(data.claims),
                Err(fault) => why = fault.to_string(),
            }
        }
        Err(why)
    }
}
