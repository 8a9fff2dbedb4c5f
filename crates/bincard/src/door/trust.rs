//! Whom a client over HTTPS trusts: the authorities of the system, and those that the user names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::DoorFault;

/// How long a connection to a server elsewhere may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take to begin its answer.
const ANSWER: Duration = Duration::from_secs(60);

/// How to encrypt on the way to this address, if that is asked for.
pub(super) fn tls(url: &str, authorities: Option<&Path>) -> Result<TlsConfig, DoorFault> {
    let mut trusted = Vec::new();
    if url.starts_with("https://") {
        trusted = of_system();
    }
    if let Some(path) = authorities {
        let unusable = |why: String| DoorFault::Unsendable {
            why: format!("--http-tls-ca {}: wanted certificates in PEM: {why}", path.display()),
        };
        let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let before = trusted.len();
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(error.to_string()))? {
                trusted.push(certificate);
            }
        }
        if trusted.len() == before {
            return Err(unusable("found none".into()));
        }
    }
    Ok(config(&trusted))
}

/// A client that trusts the authorities of the system.
pub(crate) fn system_trusting_agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).tls_config(config(&of_system())).build().new_agent()
}

/// A client that gives up on a server that does not answer, and does not follow it elsewhere.
pub(crate) fn outgoing_agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(config(&of_system()))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent()
}

fn of_system() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "an authority of the system could not be read");
    }
    found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

fn config(trusted: &[Certificate<'static>]) -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(trusted))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}
