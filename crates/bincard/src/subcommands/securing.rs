//! What `bincard serve` asks of its callers and shows to them; it does not open to strangers by accident.

use std::path::Path;
use std::time::Duration;

use command_api::Auth;
use command_api::auth::{Keys, Roles};
use command_api::http::Identity;
use command_api::nats;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::{Failure, SecurityArgs, ServeArgs};
use crate::door::system_trusting_agent;

/// How often a key set is read again from its URL.
const JWKS_AGE_MAX: Duration = Duration::from_secs(600);
/// The longest key set, in bytes.
const JWKS_BYTES_MAX: u64 = 1024 * 1024;

/// How callers are known. Without keys nobody is asked, which is refused where others than this machine can connect.
pub(super) async fn auth(args: &ServeArgs) -> Result<Auth, Failure> {
    let security = &args.security;
    let auth = match keys(security).await? {
        Some(keys) if security.insecure_no_auth => {
            return Err(Failure::usage(format!(
                "--insecure-no-auth: {} keys are given too; leave one of them out",
                keys.len()
            )));
        }
        Some(keys) => {
            let (issuer, audience) = (security.auth_issuer.clone(), security.auth_audience.clone());
            Auth::tokens(keys, roles(security)?, issuer, audience)
        }
        None => Auth::off(),
    };
    if auth.is_on() {
        return Ok(auth);
    }
    let http_is_open = !args.http.ip().is_loopback();
    let nats_is_open = args.nats.as_deref().is_some_and(|url| !nats::is_loopback(url));
    let open = match (http_is_open, nats_is_open) {
        (false, false) => None,
        (true, _) => Some(format!("--http {}", args.http)),
        (false, true) => args.nats.as_deref().map(|url| format!("--nats {}", nats::without_secrets(url))),
    };
    match open {
        Some(open) if !security.insecure_no_auth => Err(Failure::usage(format!(
            "{open} is reached from beyond this machine, and nobody would be asked who they are: give --auth-key or \
             --auth-jwks (bincard token keygen makes a key), or --insecure-no-auth if the network keeps strangers out"
        ))),
        Some(open) => {
            tracing::warn!("AUTHENTICATION IS OFF: everybody who reaches {open} may do everything");
            Ok(auth)
        }
        None => {
            tracing::warn!("AUTHENTICATION IS OFF: everybody on this machine may do everything");
            Ok(auth)
        }
    }
}

/// The certificate and key shown over HTTPS, if there are any.
pub(super) fn identity(args: &SecurityArgs) -> Result<Option<Identity>, Failure> {
    let Some((certificate, key)) = args.http_tls_cert.as_ref().zip(args.http_tls_key.as_ref()) else {
        return Ok(None);
    };
    Identity::read(certificate, key)
        .map(Some)
        .map_err(|fault| Failure::usage(format!("--http-tls-cert: {fault}")))
}

/// Reads keys and certificates again on SIGHUP, and a key set's URL every ten minutes. What cannot be read stays as it
/// was, and is told in the log. Runs until it is dropped.
pub(super) async fn renew(args: SecurityArgs, auth: Auth, shown: Option<watch::Sender<Identity>>) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => return tracing::warn!(%error, "SIGHUP will not read keys again"),
    };
    let is_url = args.auth_jwks.as_deref().is_some_and(is_url);
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = tokio::time::sleep(JWKS_AGE_MAX), if is_url => {}
        }
        match keys(&args).await {
            Ok(Some(keys)) => {
                tracing::info!(keys = keys.len(), "keys were read again");
                auth.replace_keys(keys);
            }
            Ok(None) => {}
            Err(failure) => tracing::error!(why = failure.message, "the keys stay as they were"),
        }
        match (identity(&args), &shown) {
            (Ok(Some(identity)), Some(shown)) => {
                shown.send_replace(identity);
                tracing::info!("the certificate was read again");
            }
            (Ok(_), _) => {}
            (Err(failure), _) => tracing::error!(why = failure.message, "the certificate stays as it was"),
        }
    }
}

/// Every key that is named; `None` if none is.
async fn keys(args: &SecurityArgs) -> Result<Option<Keys>, Failure> {
    let mut keys = Keys::default();
    for path in &args.auth_key {
        let what =
            |why: &dyn std::fmt::Display| Failure::usage(format!("--auth-key {}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| what(&error))?;
        keys.add_pem(&pem).map_err(|fault| what(&fault))?;
    }
    if let Some(place) = &args.auth_jwks {
        let what = |why: &dyn std::fmt::Display| Failure::usage(format!("--auth-jwks {place}: {why}"));
        let json = if is_url(place) {
            fetch(place).await.map_err(|why| what(&why))?
        } else {
            std::fs::read(Path::new(place)).map_err(|error| what(&error))?
        };
        keys.add_jwks(&json).map_err(|fault| what(&fault))?;
    }
    Ok((!keys.is_empty()).then_some(keys))
}

fn roles(args: &SecurityArgs) -> Result<Roles, Failure> {
    let Some(path) = &args.auth_roles else { return Ok(Roles::built_in()) };
    let what =
        |why: &dyn std::fmt::Display| Failure::usage(format!("--auth-roles {}: {why}", path.display()));
    let json = std::fs::read(path).map_err(|error| what(&error))?;
    Roles::read(&json).map_err(|fault| what(&fault))
}

fn is_url(place: &str) -> bool {
    place.starts_with("https://") || place.starts_with("http://")
}

async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let (url, agent) = (url.to_owned(), system_trusting_agent());
    let fetched = tokio::task::spawn_blocking(move || {
        let mut response = agent.get(&url).call().map_err(|error| error.to_string())?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("it answered {status}"));
        }
        let body = response.body_mut().with_config().limit(JWKS_BYTES_MAX).read_to_vec();
        body.map_err(|error| error.to_string())
    });
    fetched.await.expect("fetching does not panic")
}
