//! HTTP over TLS: handshakes run beside each other, so that a slow client keeps nobody out.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many handshakes may be under way.
const HANDSHAKES_MAX: usize = 256;

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file.
    #[error("{}: wanted {wanted} in PEM: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What was found.
        why: String,
    },
    /// Both are whole, and do not belong together.
    #[error("the certificate and its key do not fit: {0}")]
    Pair(#[source] rustls::Error),
}

/// What the service shows to its clients.
#[derive(Clone)]
pub struct Identity(TlsAcceptor);

impl Identity {
    /// Reads a certificate chain and its key from PEM files.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsFault> {
        let file = |path: &Path, wanted, why: String| TlsFault::File { path: path.to_owned(), wanted, why };
        let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
        let chain: Vec<CertificateDer<'static>> =
            chain.map_err(|fault| file(certificate, "certificates", fault.to_string()))?;
        let private = PrivateKeyDer::from_pem_file(key);
        let private = private.map_err(|fault| file(key, "a private key", fault.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|versions| versions.with_no_client_auth().with_single_cert(chain, private))
            .map_err(TlsFault::Pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Identity(TlsAcceptor::from(Arc::new(config))))
    }
}

/// A listener whose connections are encrypted.
pub struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    _accepting: JoinSet<()>,
}

impl TlsListener {
    /// Accepts on this listener. An identity that is sent later is shown to whoever connects from then on.
    pub fn start(listener: TcpListener, identity: watch::Receiver<Identity>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (to, ready) = mpsc::channel(HANDSHAKES_MAX);
        // Dropped with the listener: then nothing is accepted any more.
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, identity, to));
        Ok(TlsListener { address, ready, _accepting: accepting })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ended by a panic: nobody can connect any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    mut listener: TcpListener,
    identity: watch::Receiver<Identity>,
    to: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.len() >= HANDSHAKES_MAX {
            let _ended = handshakes.join_next().await;
        }
        while handshakes.try_join_next().is_some() {}
        let (stream, from) = Listener::accept(&mut listener).await;
        let (acceptor, to) = (identity.borrow().0.clone(), to.clone());
        handshakes.spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                // An error means that the service is stopping.
                Ok(Ok(stream)) => drop(to.send((stream, from)).await),
                Ok(Err(fault)) => tracing::debug!(%from, %fault, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%from, "a TLS handshake took too long"),
            }
        });
    }
}
