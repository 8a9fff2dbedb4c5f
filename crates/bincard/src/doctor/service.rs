//! The HTTP door: is its address free, and is everybody who reaches it asked who they are.

use std::io;
use std::net::TcpListener;

use command_api::nats::is_loopback;

use super::Finding;
use crate::cli::ServeArgs;

pub(super) fn examine(args: &ServeArgs, served_at: Option<&str>, findings: &mut Vec<Finding>) {
    let address = args.http;
    findings.push(match TcpListener::bind(address) {
        Ok(_) => Finding::good("http address", format!("{address} is free")),
        Err(_) if served_at.is_some_and(|at| at.contains(&address.to_string())) => {
            Finding::good("http address", format!("{address} is the service's"))
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Finding::bad(
            "http address",
            format!("{address} is used by another program"),
            "stop that program (ss -ltnp shows it), or choose another --http",
        ),
        Err(error) => Finding::bad("http address", format!("{address}: {error}"), "choose another --http"),
    });
    let security = &args.security;
    let asks = !security.auth_key.is_empty() || security.auth_jwks.is_some();
    let is_open = !address.ip().is_loopback() || args.nats.as_deref().is_some_and(|url| !is_loopback(url));
    findings.push(match (asks, is_open) {
        (true, _) => Finding::good("authentication", "callers show tokens"),
        (false, false) => Finding::note(
            "authentication",
            "off: everybody on this machine may do everything",
            "give --auth-key (bincard token keygen) if others use this machine",
        ),
        (false, true) => Finding::bad(
            "authentication",
            "off, and the ledger is reached from beyond this machine",
            "give --auth-key or --auth-jwks; serve refuses to start without, unless --insecure-no-auth",
        ),
    });
    let is_plain = security.http_tls_cert.is_none() && !address.ip().is_loopback();
    if is_plain {
        findings.push(Finding::note(
            "encryption",
            "HTTP beyond this machine is not encrypted: tokens can be read on the way",
            "give --http-tls-cert and --http-tls-key, or put a proxy that encrypts before it",
        ));
    }
}
