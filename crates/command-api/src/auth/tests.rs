//! Callers by example: which tokens are taken, what they allow, and what is said of those that are not.

use std::time::{Duration, SystemTime};

use ledger_core::values::Text;
use serde_json::json;

use super::{AUTHORIZATION_HEADER, Auth, Caller, KeyPair, Keys, Rights, Roles, Token};
use crate::reply::Reply;
use crate::request::ACTOR_HEADER;

const HOUR: Duration = Duration::from_secs(3600);

fn keys(pairs: &[&KeyPair]) -> Keys {
    let mut keys = Keys::default();
    for pair in pairs {
        keys.add_pem(pair.public_pem.as_bytes()).unwrap();
    }
    keys
}

fn now() -> SystemTime {
    SystemTime::now()
}

fn asks(auth: &Auth, headers: &[(&str, String)], at: SystemTime) -> Result<Caller, Reply> {
    let values = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|(header, _)| *header == name).map(|(_, value)| value.as_bytes()).collect()
    };
    auth.caller(values, at)
}

fn shows(auth: &Auth, token: &str, at: SystemTime) -> Result<Caller, Reply> {
    asks(auth, &[(AUTHORIZATION_HEADER, format!("Bearer {token}"))], at)
}

fn refusal(answer: Result<Caller, Reply>) -> (&'static str, &'static str) {
    let reply = answer.expect_err("it is refused");
    (reply.status(), reply.code().unwrap())
}

#[test]
fn a_token_names_the_actor_and_its_roles_allow_what_the_table_says() {
    let pair = KeyPair::generate().unwrap();
    let roles = Roles::read(br#"{"picker": ["fulfilment.*", "query:order_board"]}"#).unwrap();
    let auth = Auth::tokens(keys(&[&pair]), roles, None, None);
    let token = Token::new("alice", &["picker", "nobody-knows-this"], now(), HOUR);
    let caller = shows(&auth, &token.signed(pair.private_pem.as_bytes()).unwrap(), now()).unwrap();
    assert_eq!(caller.actor.id.as_str(), "alice");
    assert_eq!(caller.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["picker"]);
    for (permission, allowed) in [
        ("fulfilment.pick", true),
        ("query:order_board", true),
        ("stock.receive", false),
        ("query:trial_balance", false),
        ("operate:backup", false),
    ] {
        assert_eq!(caller.rights.allow(permission), allowed, "{permission}");
    }
    let Err(Reply::Forbidden(problem)) = caller.rights.require("stock.receive") else { panic!() };
    assert!(problem.message.contains("stock.receive"), "{problem:?}");
}

#[test]
fn built_in_roles_are_what_they_say() {
    let of = |role: &str| Roles::built_in().of(&[role.to_owned()]).1;
    let (admin, operator, auditor) = (of("admin"), of("operator"), of("auditor"));
    for permission in super::permissions() {
        assert!(admin.allow(&permission), "{permission}");
        let reads = permission.starts_with("query:") || permission == "events:read";
        let runs_it = ["operate:", "finance.", "ledger."].iter().any(|kind| permission.starts_with(kind));
        assert_eq!(auditor.allow(&permission), reads, "{permission}");
        assert_eq!(operator.allow(&permission), !runs_it, "{permission}");
    }
    assert_eq!(of("stranger"), Rights::Matching(Vec::new().into()));
}

#[test]
fn what_is_not_a_valid_token_is_unauthorised() {
    let (ours, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let auth = Auth::tokens(
        keys(&[&ours]),
        Roles::built_in(),
        Some("https://id.example".into()),
        Some("bincard".into()),
    );
    let whole = Token {
        iss: Some("https://id.example".into()),
        aud: Some("bincard".into()),
        ..Token::new("alice", &["admin"], now(), HOUR)
    };
    let sign = |token: &Token, pair: &KeyPair| token.signed(pair.private_pem.as_bytes()).unwrap();
    let good = sign(&whole, &ours);
    assert!(shows(&auth, &good, now()).is_ok());
    let cut = good.rsplit_once('.').unwrap().0;
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    for (what, token) in [
        ("signed by somebody else", sign(&whole, &theirs)),
        ("another issuer", sign(&Token { iss: Some("https://evil.example".into()), ..whole.clone() }, &ours)),
        ("no issuer", sign(&Token { iss: None, ..whole.clone() }, &ours)),
        ("another audience", sign(&Token { aud: Some("payroll".into()), ..whole.clone() }, &ours)),
        ("no audience", sign(&Token { aud: None, ..whole.clone() }, &ours)),
        ("an actor that the log cannot name", sign(&Token { sub: "a\nb".into(), ..whole.clone() }, &ours)),
        ("no signature", format!("{cut}.")),
        ("no algorithm", unsigned),
        ("no token", "nonsense".into()),
    ] {
        let (status, code) = refusal(shows(&auth, &token, now()));
        assert_eq!((status, code), ("unauthorised", "token_refused"), "{what}");
    }
    for headers in [
        vec![],
        vec![(AUTHORIZATION_HEADER, format!("Basic {good}"))],
        vec![(AUTHORIZATION_HEADER, "Bearer ".to_owned())],
        vec![(AUTHORIZATION_HEADER, format!("Bearer {}", "x".repeat(9000)))],
        vec![(AUTHORIZATION_HEADER, format!("Bearer {good}")), (AUTHORIZATION_HEADER, "Bearer x".to_owned())],
    ] {
        assert_eq!(refusal(asks(&auth, &headers, now())), ("unauthorised", "token_missing"), "{headers:?}");
    }
}

#[test]
fn a_token_counts_while_it_is_valid_and_not_a_minute_more() {
    let pair = KeyPair::generate().unwrap();
    let auth = Auth::tokens(keys(&[&pair]), Roles::built_in(), None, None);
    let token = Token::new("alice", &["auditor"], now(), HOUR).signed(pair.private_pem.as_bytes()).unwrap();
    for _ in 0..2 {
        assert!(shows(&auth, &token, now()).is_ok());
        assert_eq!(refusal(shows(&auth, &token, now() + HOUR * 2)), ("unauthorised", "token_expired"));
    }
    assert!(shows(&auth, &token, now() + HOUR).is_ok(), "clocks may be apart a little");
}

#[test]
fn other_keys_shut_out_tokens_of_the_former_ones_at_once() {
    let (old, new) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let auth = Auth::tokens(keys(&[&old]), Roles::built_in(), None, None);
    let token = Token::new("alice", &["admin"], now(), HOUR);
    let of = |pair: &KeyPair| token.signed(pair.private_pem.as_bytes()).unwrap();
    assert!(shows(&auth, &of(&old), now()).is_ok() && shows(&auth, &of(&new), now()).is_err());
    auth.replace_keys(keys(&[&old, &new]));
    assert!(shows(&auth, &of(&old), now()).is_ok() && shows(&auth, &of(&new), now()).is_ok());
    auth.replace_keys(keys(&[&new]));
    assert!(shows(&auth, &of(&old), now()).is_err() && shows(&auth, &of(&new), now()).is_ok());
}

#[test]
fn a_key_set_is_read_for_its_ed25519_keys() {
    // The key and token of RFC 8037, appendix A, are of another shape of claims; the key itself is read.
    let set = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB"},
    ]});
    let mut keys = Keys::default();
    keys.add_jwks(set.to_string().as_bytes()).unwrap();
    assert_eq!(keys.len(), 1);
    for (bad, word) in [("{}", "keys"), (r#"{"keys": []}"#, "Ed25519"), ("no", "JSON Web Key Set")] {
        let fault = Keys::default().add_jwks(bad.as_bytes()).unwrap_err().to_string();
        assert!(fault.contains(word), "{fault}");
    }
    let fault = keys.add_pem(b"no key").unwrap_err().to_string();
    assert!(fault.contains("BEGIN PUBLIC KEY"), "{fault}");
}

#[test]
fn an_actor_that_is_not_the_tokens_is_refused_and_without_authentication_believed() {
    let pair = KeyPair::generate().unwrap();
    let auth = Auth::tokens(keys(&[&pair]), Roles::built_in(), None, None);
    let token = Token::new("alice", &["admin"], now(), HOUR).signed(pair.private_pem.as_bytes()).unwrap();
    let bearer = (AUTHORIZATION_HEADER, format!("Bearer {token}"));
    let both = |actor: &str| asks(&auth, &[bearer.clone(), (ACTOR_HEADER, actor.to_owned())], now());
    assert!(both("alice").is_ok());
    assert_eq!(refusal(both("bob")), ("invalid", "invalid_value"));
    let bob = asks(&Auth::off(), &[(ACTOR_HEADER, "bob".to_owned())], now()).unwrap();
    assert_eq!((bob.actor.id.as_str(), &bob.rights), ("bob", &Rights::Everything));
    assert_eq!(asks(&Auth::off(), &[], now()).unwrap(), Caller::anonymous());
}

#[test]
fn a_table_of_roles_with_a_typing_error_is_refused() {
    for (table, word) in [
        (r#"{"picker": ["fulfillment.*"]}"#, "\"fulfillment.*\""),
        (r#"{"picker": "fulfilment.*"}"#, "JSON object of roles"),
        (r#"{"": []}"#, "role \"\""),
    ] {
        let fault = Roles::read(table.as_bytes()).unwrap_err().to_string();
        assert!(fault.contains(word), "{fault}");
    }
}
