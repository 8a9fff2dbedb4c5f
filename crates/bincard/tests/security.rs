//! Who may do what, and who can listen: tokens and roles at both doors, HTTPS, NATS with TLS and credentials, and a
//! service that does not open to strangers by accident.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::path::Path;
use std::time::{Duration, SystemTime};

use command_api::auth::Token;
use futures::StreamExt;
use nkeys::KeyPair;
use serde_json::{Value, json};
use support::certificates::Authority;
use support::{Ran, Served, bincard, nats, nats_with, run};

/// A key, and what signs and checks with it.
struct Keys {
    private: String,
    public: String,
}

impl Keys {
    fn new(folder: &Path, name: &str) -> Keys {
        let private = folder.join(name).to_str().unwrap().to_owned();
        run(&["token", "keygen", "--key", &private]).ended(0).said(&[]);
        Keys { public: format!("{private}.pub"), private }
    }

    fn token(&self, sub: &str, role: &str) -> String {
        let arguments = ["token", "issue", "--key", &self.private, "--sub", sub, "--role", role];
        run(&arguments).ended(0).out.trim().to_owned()
    }
}

/// Runs a client with a token, away from this machine's own.
fn with_token(token: &str, line: &str, more: &[&str]) -> Ran {
    let arguments: Vec<&str> = line.split_whitespace().chain(more.iter().copied()).collect();
    Ran::of(bincard(&arguments).env("BINCARD_TOKEN", token).output().unwrap())
}

const DEFINE: &str = "send items.define sku=TEA-01 name=Tea --id define-1";

/// The same at any door: nobody without a token, each role its part, and the log knows who it was.
#[track_caller]
fn everybody_may_do_their_part(keys: &Keys, door: &[&str]) {
    let [admin, auditor, operator] =
        ["admin", "auditor", "operator"].map(|role| keys.token(&format!("a-{role}"), role));

    let stranger = with_token("", DEFINE, door).ended(1).json();
    assert_eq!(stranger["status"], "unauthorised", "{stranger}");
    let forged = with_token(&format!("{}x", &admin[..admin.len() - 8]), DEFINE, door).ended(1).json();
    assert_eq!((&forged["status"], &forged["code"]), (&json!("unauthorised"), &json!("token_refused")));
    with_token("", "query stock_position", door).ended(1).said(&["Authorization: Bearer"]);

    let refused = with_token(&auditor, DEFINE, door).ended(1).json();
    assert_eq!(refused["status"], "forbidden");
    assert!(refused["message"].as_str().unwrap().contains("items.define"), "{refused}");
    let in_a_batch =
        r#"{"command": "items.define", "id": "define-1", "body": {"sku": "TEA-01", "name": "Tea"}}"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), in_a_batch).unwrap();
    let line = format!("send --file {}", file.path().display());
    with_token(&auditor, &line, door).ended(1);
    // The ledger was created, its rules activated, and its first epoch started.
    let audit = actors(&with_token(&auditor, "query audit --format json", door));
    assert_eq!(audit, ["bincard", "bincard", "bincard"]);

    let accepted = with_token(&operator, DEFINE, door).ended(0).json();
    assert_eq!(accepted["status"], "accepted", "{accepted}");
    let again = with_token(&admin, &line, door).ended(0);
    assert!(again.out.contains("already") || again.out.contains('1'), "{again:?}");
    let audit = actors(&with_token(&auditor, "query audit --format json", door));
    assert_eq!(audit, ["bincard", "bincard", "bincard", "a-operator"], "it is in once, by who asked first");
}

/// Who made the entries of an audit, in their order.
#[track_caller]
fn actors(audit: &Ran) -> Vec<String> {
    let mut rows = audit.json().as_array().cloned().unwrap_or_default();
    rows.sort_by_key(|row| row["sequence"].as_u64());
    rows.iter().map(|row| row["actor"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn over_https_everybody_shows_a_token_and_may_do_their_part() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(folder.path(), "signing");
    let authority = Authority::new(folder.path());
    let (certificate, key) = authority.vouch_for("service");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let security =
        ["--auth-key", &keys.public, "--http-tls-cert", &text(&certificate), "--http-tls-key", &text(&key)];
    let service = Served::start(&folder.path().join("data"), &security);
    assert!(service.http.starts_with("https://"), "{}", service.http);
    let trusting = ["--http", &service.http, "--http-tls-ca", &text(&authority.certificate)];
    everybody_may_do_their_part(&keys, &trusting);
    // Who does not know the authority does not talk to it, and plain HTTP is not answered.
    let admin = keys.token("root", "admin");
    with_token(&admin, "query audit", &["--http", &service.http]).ended(1);
    let plain = service.http.replace("https://", "http://");
    with_token(&admin, "query audit", &["--http", &plain]).ended(1);
}

#[test]
fn over_nats_with_tls_and_a_password_everybody_shows_a_token_too() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(folder.path(), "signing");
    let authority = Authority::new(folder.path());
    let (certificate, key) = authority.vouch_for("nats");
    let (own, own_key) = authority.vouch_for("client");
    let configuration = format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {:?}, verify: true }}\n\
         authorization {{ user: ann, password: secret }}",
        authority.certificate
    );
    let Some((_server, url)) = nats_with(&folder.path().join("nats"), &configuration) else { return };
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (own, own_key, ca) = (text(&own), text(&own_key), text(&authority.certificate));
    let with_password = url.replace("nats://", "tls://ann:secret@");
    let access = ["--nats-tls-ca", &ca, "--nats-tls-cert", &own, "--nats-tls-key", &own_key];
    let door = [&["--nats", &with_password][..], &access].concat();

    let serving = [&door[..], &["--auth-key", &keys.public]].concat();
    let service = Served::start(&folder.path().join("data"), &serving);
    assert!(!service.ready.contains("secret"), "{}", service.ready);
    everybody_may_do_their_part(&keys, &door);

    let admin = keys.token("root", "admin");
    for (what, url, access) in [
        ("no password", url.replace("nats://", "tls://"), &access[..]),
        ("an unknown authority", with_password.clone(), &[]),
        ("no certificate of its own", with_password.clone(), &access[..2]),
    ] {
        let ran = with_token(&admin, "query audit", &[&["--nats", &url][..], access].concat());
        assert_eq!(ran.status, 2, "{what}: {ran:?}");
        assert!(!ran.err.contains("secret"), "{what}: {ran:?}");
    }
}

#[test]
fn what_is_secured_is_measured_like_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(folder.path(), "signing");
    let authority = Authority::new(folder.path());
    let (certificate, key) = authority.vouch_for("nats");
    let configuration = format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?} }}\nauthorization {{ user: ann, password: secret }}"
    );
    let Some((_server, url)) = nats_with(&folder.path().join("nats"), &configuration) else { return };
    let url = url.replace("nats://", "tls://ann:secret@");
    let door = ["--nats", &url, "--nats-tls-ca", authority.certificate.to_str().unwrap()];
    let serving = [&door[..], &["--ledger", "bench", "--auth-key", &keys.public]].concat();
    let service = Served::start(&folder.path().join("data"), &serving);
    let token = keys.token("bench", "operator");
    for (bench, door) in [("nats", &door[..]), ("http", &["--http", &service.http][..])] {
        let line = format!("--ledger bench bench {bench} --orders 20 --items 5 --runs 1 --format json");
        let report = with_token(&token, &line, door).ended(0);
        assert!(!report.err.contains("secret"), "{report:?}");
        let rows = report.json()["rows"].as_array().unwrap().clone();
        let singles = rows.iter().find(|row| row["figure"].as_str().unwrap().contains(": one "));
        assert!(singles.unwrap()["median"].as_f64().unwrap() > 0.0, "{rows:?}");
        with_token("", &line, door).ended(1).said(&["unauthorised"]);
    }
    let line = "--ledger bench bench http --http https://127.0.0.1:1";
    with_token(&token, line, &[]).ended(2).said(&["http://host:port"]);
}

#[test]
fn events_are_for_those_who_may_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(folder.path(), "signing");
    let roles = folder.path().join("roles.json");
    std::fs::write(&roles, r#"{"picker": ["fulfilment.*", "query:*"], "listener": ["events:read"]}"#)
        .unwrap();
    let arguments = ["--auth-key", &keys.public, "--auth-roles", roles.to_str().unwrap()];
    let service = Served::start(&folder.path().join("data"), &arguments);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let events = |token: Option<&str>| {
        let mut request = agent.get(format!("{}/v1/events?follow=false", service.http));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let (status, why) = events(None);
    assert_eq!(status, 401, "{why}");
    let (status, why) = events(Some(&keys.token("pat", "picker")));
    assert!(status == 403 && why.contains("events:read"), "{status} {why}");
    for role in ["listener", "operator", "auditor", "admin"] {
        let (status, events) = events(Some(&keys.token("lea", role)));
        assert!(status == 200 && events.contains("bincard."), "{role}: {status} {events}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_the_inbox_shows_a_token_that_was_valid_when_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(folder.path(), "signing");
    let Some((_server, url)) = nats(&folder.path().join("nats")) else { return };
    let data = folder.path().join("data");
    let serving = ["--nats", &url, "--auth-key", &keys.public];
    let service = Served::start(&data, &serving);
    let client = async_nats::connect(&url).await.unwrap();
    let mut outcomes = client.subscribe("bincard.main.outcome.*").await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let put = async |id: &str, token: Option<&str>| {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Bincard-Command-Id", id);
        if let Some(token) = token {
            headers.insert("Authorization", format!("Bearer {token}").as_str());
        }
        let body = json!({"sku": id, "name": "Tea"}).to_string();
        support::stored(&jetstream, "bincard.main.inbox.items.define", headers, body).await;
    };
    let mut outcome = async || {
        let told = tokio::time::timeout(Duration::from_secs(30), outcomes.next()).await.unwrap().unwrap();
        serde_json::from_slice::<Value>(&told.payload).unwrap()["status"].clone()
    };
    put("nobody", None).await;
    assert_eq!(outcome().await, "unauthorised");
    put("auditor", Some(&keys.token("ann", "auditor"))).await;
    assert_eq!(outcome().await, "forbidden");
    put("operator", Some(&keys.token("bob", "operator"))).await;
    assert_eq!(outcome().await, "accepted");

    // A message may wait longer than its token lives; one that came with a dead token is refused.
    assert_eq!(service.process.terminate(), Some(0));
    // Half a minute is forgiven, for clocks that differ: of this token, two seconds of it are left.
    let hour = Duration::from_secs(3600);
    let token = Token::new("eve", &["operator"], SystemTime::now() - hour, hour - Duration::from_secs(28));
    let short = token.signed(&std::fs::read(&keys.private).unwrap()).unwrap();
    put("in-time", Some(&short)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    put("too-late", Some(&short)).await;
    let _service = Served::start(&data, &serving);
    assert_eq!((outcome().await, outcome().await), (json!("accepted"), json!("unauthorised")));
}

/// A token of NATS' own kind: claims signed with an nkey.
fn nats_jwt(issuer: &KeyPair, subject: &KeyPair, nats: &Value) -> String {
    let part = |json: &Value| data_encoding::BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let claims = json!({
        "jti": subject.public_key(), "iat": 1_700_000_000, "iss": issuer.public_key(), "name": "test",
        "sub": subject.public_key(), "nats": nats,
    });
    let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "ed25519-nkey"})), part(&claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", data_encoding::BASE64URL_NOPAD.encode(&signature))
}

#[test]
fn nats_credentials_are_shown_by_the_service_and_its_clients() {
    let folder = tempfile::tempdir().unwrap();
    let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1});
    let operator_jwt = nats_jwt(&operator, &operator, &json!({"type": "operator", "version": 2}));
    let account_jwt =
        nats_jwt(&operator, &account, &json!({"type": "account", "version": 2, "limits": limits}));
    let user_claims =
        json!({"type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1});
    let user_jwt = nats_jwt(&account, &user, &user_claims);
    let configuration = format!(
        "operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload: {{ {}: {account_jwt} }}",
        account.public_key()
    );
    let credentials = folder.path().join("user.creds");
    let seed = user.seed().unwrap();
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&credentials, text).unwrap();
    let Some((_server, url)) = nats_with(&folder.path().join("nats"), &configuration) else { return };
    let door = ["--nats", &url, "--nats-creds", credentials.to_str().unwrap()];
    let _service = Served::start(&folder.path().join("data"), &door);
    with_token("", DEFINE, &door).ended(0);
    with_token("", "query audit", &door[..2]).ended(2).said(&[&url]);
}

#[test]
fn a_service_does_not_open_to_strangers_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let keys = Keys::new(folder.path(), "signing");
    let wrong = folder.path().join("roles.json");
    std::fs::write(&wrong, r#"{"picker": ["fulfillment.*"]}"#).unwrap();
    for (arguments, words) in [
        (&["--http", "0.0.0.0:0"][..], &["--http 0.0.0.0:0", "--auth-key", "--insecure-no-auth"][..]),
        (&["--nats", "nats://ann:secret@10.255.0.1"], &["--nats nats://10.255.0.1", "--auth-key"]),
        (&["--auth-key", &keys.private], &["--auth-key", "BEGIN PUBLIC KEY"]),
        (&["--auth-key", &keys.public, "--insecure-no-auth"], &["--insecure-no-auth", "leave one"]),
        (
            &["--auth-key", &keys.public, "--auth-roles", wrong.to_str().unwrap()],
            &["picker", "fulfillment.*"],
        ),
        (&["--auth-jwks", "/nowhere.json"], &["--auth-jwks /nowhere.json"]),
        (&["--http-tls-cert", "/nowhere.pem"], &["--http-tls-key"]),
        (&["--http-tls-cert", "/nowhere.pem", "--http-tls-key", "/nowhere.pem"], &["/nowhere.pem", "PEM"]),
    ] {
        let all = [&["serve", "--data", data, "--http", "127.0.0.1:0"][..], arguments].concat();
        let all: Vec<&str> = match arguments {
            ["--http", ..] => [&["serve", "--data", data][..], arguments].concat(),
            _ => all,
        };
        let ran = run(&all).ended(2).said(words);
        assert!(!ran.err.contains("secret"), "{ran:?}");
    }
    assert!(!folder.path().join("main").exists(), "nothing was made");
    // Said aloud, it opens; with keys it does not have to be said.
    drop(Served::start_at(folder.path(), "0.0.0.0:0", &["--insecure-no-auth"]));
    drop(Served::start_at(folder.path(), "0.0.0.0:0", &["--auth-key", &keys.public]));
}
