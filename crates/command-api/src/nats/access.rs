//! How a NATS server is reached: credentials, and the certificates of both sides.

use std::path::{Path, PathBuf};

use async_nats::{Client, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

/// What is shown to a NATS server, and what is wanted of it. Nothing, unless said; a user and password may stand in
/// the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A file of credentials (a JWT and its nkey seed), as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// Certificates of the authorities that may vouch for the server, beside the system's; TLS is wanted then.
    pub authorities: Option<PathBuf>,
    /// The client's own certificate and its key; TLS is wanted then.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why a server cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum AccessFault {
    /// A file of [`Access`] that cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was found and what was wanted.
        why: String,
    },
    /// No URL.
    #[error("wanted nats://host:port or tls://host:port, several with commas between them, found {found:?}")]
    NoUrl {
        /// What was found.
        found: String,
    },
    /// The server, or the way to it.
    #[error(transparent)]
    Connect(#[from] async_nats::ConnectError),
}

impl Access {
    /// Connects to one of the servers in `urls`, which have commas between them. `settings` says the rest.
    pub async fn connect(
        &self,
        urls: &str,
        settings: impl FnOnce(ConnectOptions) -> ConnectOptions,
    ) -> Result<Client, AccessFault> {
        let options = settings(self.options(urls)?);
        Ok(options.connect(servers(urls)?).await?)
    }

    /// What a client of these servers shows and wants; user and password of the URL are in it.
    pub fn options(&self, urls: &str) -> Result<ConnectOptions, AccessFault> {
        let mut options = ConnectOptions::new();
        // The client itself does not read them from the URL.
        if let Some((user, password)) =
            servers(urls)?.iter().find_map(|server| server.username().zip(server.password()))
        {
            let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            options = options.user_and_password(plain(user), plain(password));
        }
        if let Some(path) = &self.credentials {
            let read = std::fs::read_to_string(path).and_then(|text| options.credentials(&text));
            options = read.map_err(|error| AccessFault::File {
                path: path.clone(),
                why: format!("wanted a NATS credentials file: {error}"),
            })?;
        }
        if let Some(path) = &self.authorities {
            options = options.add_root_certificates(readable(path)?).require_tls(true);
        }
        if let Some((certificate, key)) = &self.identity {
            options =
                options.add_client_certificate(readable(certificate)?, readable(key)?).require_tls(true);
        }
        Ok(options)
    }
}

fn servers(urls: &str) -> Result<Vec<ServerAddr>, AccessFault> {
    let servers = urls.split(',').map(|url| url.trim().parse()).collect::<Result<_, _>>();
    servers.map_err(|_| AccessFault::NoUrl { found: without_secrets(urls) })
}

fn readable(path: &Path) -> Result<PathBuf, AccessFault> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(error) => Err(AccessFault::File { path: path.to_owned(), why: error.to_string() }),
    }
}

/// The URL without user and password, for messages and logs.
pub fn without_secrets(urls: &str) -> String {
    let hidden = |url: &str| match url.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, server)| server))
        }
        None => url.rsplit_once('@').map_or(url, |(_, server)| server).to_owned(),
    };
    urls.split(',').map(|url| hidden(url.trim())).collect::<Vec<_>>().join(",")
}

/// Whether every server in the URL is on this machine. What cannot be read is not.
pub fn is_loopback(urls: &str) -> bool {
    urls.split(',').all(|url| {
        url.trim().parse::<ServerAddr>().is_ok_and(|server| {
            let host = server.host().trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
            ("nats://ann:s3cr@t@a:4222,tls://b", "nats://a:4222,tls://b"),
            ("ann:secret@a:4222", "a:4222"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (url, own) in [
            ("nats://127.0.0.1:4222", true),
            ("127.0.0.9", true),
            ("nats://[::1]:4222", true),
            ("nats://ann:pw@localhost", true),
            ("nats://127.0.0.1,nats://nats.example:4222", false),
            ("nats://10.0.0.1:4222", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(url), own, "{url}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let path = || Some(PathBuf::from("/nowhere/a.pem"));
        let pair = Some((PathBuf::from("/nowhere/a.pem"), PathBuf::from("/nowhere/a.pem")));
        for access in [
            Access { credentials: path(), ..Access::default() },
            Access { authorities: path(), ..Access::default() },
            Access { identity: pair, ..Access::default() },
        ] {
            let fault = access.options("nats://127.0.0.1").err().unwrap().to_string();
            assert!(fault.contains("/nowhere/a.pem"), "{fault}");
        }
    }
}
