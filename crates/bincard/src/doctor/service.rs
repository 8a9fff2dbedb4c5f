//! The HTTP door: is its address free, and is everybody who reaches it asked who they are.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use command_api::nats::is_loopback;

use super::Finding;
use crate::cli::ServeArgs;

/// How long the service that runs may take to say which version it is.
const ANSWER: Duration = Duration::from_secs(5);

pub(super) fn examine(args: &ServeArgs, served_at: Option<&str>, findings: &mut Vec<Finding>) {
    findings.push(version(served_at));
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

/// This program's version beside that of the service that runs, if one does.
fn version(served_at: Option<&str>) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    let url = served_at.and_then(|at| at.split_whitespace().find(|word| word.starts_with("http://")));
    match url.map(|url| (url, version_at(url))) {
        None => Finding::good("version", format!("this program is {own}")),
        Some((_, Some(runs))) if runs == own => {
            Finding::good("version", format!("this program and the service that runs are {own}"))
        }
        Some((_, Some(runs))) => Finding::note(
            "version",
            format!("this program is {own}, the service that runs is {runs}"),
            "restart the service if it was upgraded (systemctl restart bincard)",
        ),
        Some((url, None)) => Finding::note(
            "version",
            format!("this program is {own}; the service at {url} did not say its own"),
            "look whether it answers: GET /health/ready",
        ),
    }
}

fn version_at(url: &str) -> Option<String> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(ANSWER)).build().new_agent();
    let metrics = agent.get(format!("{url}/metrics")).call().ok()?.body_mut().read_to_string().ok()?;
    version_in(&metrics)
}

fn version_in(metrics: &str) -> Option<String> {
    let line = metrics.lines().find(|line| line.starts_with("bincard_info{"))?;
    let (_, version) = line.split_once("version=\"")?;
    Some(version.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_metrics() {
        let metrics =
            "# TYPE bincard_info gauge\nbincard_info{ledger=\"main\",version=\"1.2.3\",uuid=\"u\"} 1\n";
        assert_eq!(version_in(metrics).as_deref(), Some("1.2.3"));
        assert_eq!(version_in("bincard_ready 1"), None);
    }
}
