//! Who asks, and what they may: a signed token names an actor and its roles, a table says what each role may do.
//!
//! | step | where |
//! |---|---|
//! | a door reads `Authorization: Bearer …` and learns who calls | [`Auth::caller`] |
//! | the token's signature is checked against the operator's keys | [`Keys`] |
//! | its roles become rights | [`Roles`] |
//! | the writer, or whoever answers a query, asks those rights | [`Rights::allow`] |
//!
//! A permission is the name of what is asked: `stock.receive`, `query:stock_position`, `events:read`,
//! `operate:backup`. Where no keys are given, everyone may do everything, and is who they say they are: that is for
//! one machine alone.

mod eddsa;
mod keys;
mod roles;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, Validation};
use ledger_core::values::{ActorId, Name, Text};
use ledger_core::{Actor, ActorKind};
use serde::Deserialize;

pub use keys::{KeyFault, Keys};
pub use roles::{RoleFault, Roles, permissions};
pub use tokens::{KeyPair, Token};

use crate::invalid::Invalid;
use crate::reply::{Problem, Reply};
use crate::request::ACTOR_HEADER;

/// The header that carries a token.
pub const AUTHORIZATION_HEADER: &str = "Authorization";
/// How far the clocks of whoever signs and of this machine may be apart.
const LEEWAY: Duration = Duration::from_secs(30);
/// Tokens whose signature need not be checked again. When so many are known, all are forgotten.
const KNOWN_TOKENS_MAX: usize = 10_000;
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Who asks, and what they may.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// Who acts, as the log will name them.
    pub actor: Actor,
    /// The roles they were asserted to have, of those that the table knows.
    pub roles: Vec<Name>,
    /// What these roles may do.
    pub rights: Rights,
}

impl Caller {
    /// Somebody who may do everything: the operator's own process, or anybody where there is no authentication.
    pub fn trusted(actor: Actor) -> Self {
        Caller { actor, roles: Vec::new(), rights: Rights::Everything }
    }

    /// Somebody trusted who did not say who they are.
    pub fn anonymous() -> Self {
        let id = ActorId::try_new("anonymous").expect("a short id without control characters");
        Caller::trusted(Actor { id, kind: ActorKind::Person })
    }
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Everything.
    Everything,
    /// What one of these patterns matches: a permission, or its beginning and `*`.
    Matching(Arc<[String]>),
}

impl Rights {
    /// Whether they include a permission.
    pub fn allow(&self, permission: &str) -> bool {
        match self {
            Rights::Everything => true,
            Rights::Matching(patterns) => patterns.iter().any(|pattern| roles::matches(pattern, permission)),
        }
    }

    /// The refusal of what they do not include.
    pub fn require(&self, permission: &str) -> Result<(), Reply> {
        if self.allow(permission) { Ok(()) } else { Err(Reply::forbidden(permission)) }
    }
}

/// How callers are known. Clones share their keys.
#[derive(Clone, Default)]
pub struct Auth(Option<Arc<Checks>>);

struct Checks {
    keys: RwLock<Keys>,
    roles: Roles,
    issuer: Option<String>,
    audience: Option<String>,
    /// By BLAKE3 of the token: checking a signature costs as much as deciding fifty commands.
    known: RwLock<HashMap<[u8; 32], Arc<Known>>>,
}

/// A token that was signed by one of the keys.
struct Known {
    caller: Caller,
    valid_from: u64,
    valid_until: u64,
}

/// What is read of a token. Any other claim is somebody else's.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default)]
    nbf: u64,
    #[serde(default)]
    roles: Vec<String>,
    /// `connector` for another system; a person without it.
    #[serde(default)]
    kind: Option<String>,
}

impl Auth {
    /// Everybody may do everything, and is who they say they are.
    pub fn off() -> Self {
        Auth(None)
    }

    /// Callers show tokens that one of these keys signed; `issuer` and `audience` are wanted in them if given.
    pub fn tokens(keys: Keys, roles: Roles, issuer: Option<String>, audience: Option<String>) -> Self {
        let (keys, known) = (RwLock::new(keys), RwLock::default());
        Auth(Some(Arc::new(Checks { keys, roles, issuer, audience, known })))
    }

    /// Whether callers have to show who they are.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes other keys from now on: tokens that only the former ones signed are refused.
    pub fn replace_keys(&self, keys: Keys) {
        if let Some(checks) = &self.0 {
            let mut in_force = checks.keys.write().unwrap_or_else(PoisonError::into_inner);
            *in_force = keys;
            checks.known.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Who calls, by their headers; `values` gives all values under a name. `at` is when the request was made: a
    /// token has to be valid then.
    pub fn caller<'h>(
        &self,
        values: impl Fn(&str) -> Vec<&'h [u8]>,
        at: SystemTime,
    ) -> Result<Caller, Reply> {
        let claimed = claimed_actor(&values(ACTOR_HEADER))?;
        let Some(checks) = &self.0 else {
            return Ok(claimed.map_or_else(Caller::anonymous, Caller::trusted));
        };
        let caller = checks.caller(bearer(&values(AUTHORIZATION_HEADER))?, at)?;
        match claimed {
            Some(claimed) if claimed.id != caller.actor.id => {
                let message = format!("the token is of {}, the header says {}", caller.actor.id, claimed.id);
                Err(Invalid::header(ACTOR_HEADER, message).into())
            }
            Some(_) | None => Ok(caller),
        }
    }
}

/// Whether anybody is asked; keys and tokens are nobody's business.
impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_on() { "Auth(tokens)" } else { "Auth(off)" })
    }
}

impl Checks {
    fn caller(&self, token: &str, at: SystemTime) -> Result<Caller, Reply> {
        let hash = *blake3::hash(token.as_bytes()).as_bytes();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        let known = match known {
            Some(known) => known,
            None => {
                // Held until the token is known: keys that are replaced meanwhile take all with them that they let in.
                let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
                let known = Arc::new(self.check(token, &keys)?);
                let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
                if all.len() >= KNOWN_TOKENS_MAX {
                    all.clear();
                }
                all.insert(hash, Arc::clone(&known));
                known
            }
        };
        let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        if at > known.valid_until.saturating_add(LEEWAY.as_secs()) {
            return Err(unauthorised("token_expired", "the token has expired: get a new one".into()));
        }
        if at.saturating_add(LEEWAY.as_secs()) < known.valid_from {
            return Err(unauthorised(
                "token_not_yet_valid",
                "the token is not valid yet: check the clocks".into(),
            ));
        }
        Ok(known.caller.clone())
    }

    fn check(&self, token: &str, keys: &Keys) -> Result<Known, Reply> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Times are looked at for every request, not only when a token is first seen.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        let mut wanted = vec!["exp", "sub"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            wanted.push("iss");
        }
        match &self.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                wanted.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&wanted);
        let claims: Claims = keys
            .decode(token, &validation)
            .map_err(|why| unauthorised("token_refused", format!("the token is refused: {why}")))?;
        let id = ActorId::try_new(&claims.sub)
            .map_err(|fault| unauthorised("token_refused", format!("the token's sub: {fault}")))?;
        let kind = match claims.kind.as_deref() {
            None | Some("person") => ActorKind::Person,
            Some("connector") => ActorKind::Connector,
            Some(other) => {
                let why = format!("the token's kind: wanted person or connector, found {other:?}");
                return Err(unauthorised("token_refused", why));
            }
        };
        let (roles, rights) = self.roles.of(&claims.roles);
        let caller = Caller { actor: Actor { id, kind }, roles, rights };
        Ok(Known { caller, valid_from: claims.nbf, valid_until: claims.exp })
    }
}

fn unauthorised(code: &'static str, message: String) -> Reply {
    Reply::Unauthorised(Problem::new(code, message))
}

/// Who the caller says they are, if they say it.
fn claimed_actor(values: &[&[u8]]) -> Result<Option<Actor>, Reply> {
    let Some(value) = values.first() else { return Ok(None) };
    let invalid = |message: String| Reply::from(Invalid::header(ACTOR_HEADER, message));
    if values.iter().any(|other| other != value) {
        return Err(invalid(format!("wanted one {ACTOR_HEADER}, found several that differ")));
    }
    let text = std::str::from_utf8(value).map_err(|_| invalid(format!("wanted {ACTOR_HEADER} in UTF-8")))?;
    let id = ActorId::try_new(text).map_err(|fault| invalid(fault.to_string()))?;
    Ok(Some(Actor { id, kind: ActorKind::Person }))
}

/// The one token in the header.
fn bearer<'h>(values: &[&'h [u8]]) -> Result<&'h str, Reply> {
    let wanted = "wanted the header Authorization: Bearer <token>";
    let missing = |why: String| unauthorised("token_missing", why);
    let [value] = values else {
        let found =
            if values.is_empty() { "found none".to_owned() } else { format!("found {}", values.len()) };
        return Err(missing(format!("{wanted}, {found}; bincard token issue makes one")));
    };
    let text = std::str::from_utf8(value).ok();
    let token = text.and_then(|text| text.split_once(' ')).and_then(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
    });
    match token {
        Some(token) if token.len() <= TOKEN_BYTES_MAX => Ok(token),
        Some(token) => {
            Err(missing(format!("wanted a token of at most {TOKEN_BYTES_MAX} bytes, found {}", token.len())))
        }
        None => Err(missing(format!("{wanted}, found another scheme"))),
    }
}
