//! A NATS server for the time of a bench, where none is named.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::cli::Failure;

/// A server on a port of its own; it ends with this.
pub(super) struct NatsServer {
    child: Child,
    pub(super) url: String,
    _dir: TempDir,
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl NatsServer {
    /// Starts the server that `NATS_SERVER` or `PATH` names; `None` if there is none.
    pub(super) async fn start() -> Result<Option<NatsServer>, Failure> {
        let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
        let Some(program) = named.into_iter().chain(on_path).find(|program| program.is_file()) else {
            return Ok(None);
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let dir = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]).current_dir(dir.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = NatsServer { child, url: format!("127.0.0.1:{port}"), _dir: dir };
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(&server.url).await.is_ok() {
                return Ok(Some(server));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(Failure::usage(format!("nats-server did not answer at {}", server.url)))
    }
}
