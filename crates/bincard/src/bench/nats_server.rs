//! NATS servers for the time of a bench, where none is named.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream;
use command_api::nats::Access;
use tempfile::TempDir;

use crate::cli::Failure;

/// What the servers are to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Servers {
    /// One that keeps nothing.
    Plain,
    /// So many that keep streams together, on the disk that is measured.
    JetStream {
        /// How many.
        count: usize,
        /// Every message is synced before it is acknowledged; every two minutes otherwise.
        sync_always: bool,
    },
}

/// Servers on ports of their own; they end with this.
pub(super) struct NatsServers {
    children: Vec<Child>,
    /// All of them, as a client names them.
    pub(super) url: String,
    _dir: TempDir,
}

impl Drop for NatsServers {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself; then there is nothing to end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl NatsServers {
    /// Starts the server that `NATS_SERVER` or `PATH` names; `None` if there is none.
    pub(super) async fn start(servers: Servers, dir: &Path) -> Result<Option<NatsServers>, Failure> {
        let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
        let Some(program) = named.into_iter().chain(on_path).find(|program| program.is_file()) else {
            return Ok(None);
        };
        let dir = tempfile::Builder::new().prefix("bincard-bench-nats-").tempdir_in(dir)?;
        let settings = settings(servers, dir.path())?;
        let mut children = Vec::new();
        for (at, (_, settings)) in settings.iter().enumerate() {
            let file = dir.path().join(format!("{at}.conf"));
            std::fs::write(&file, settings)?;
            let mut command = Command::new(&program);
            command.arg("--config").arg(file).current_dir(dir.path());
            children.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        }
        let url = settings.into_iter().map(|(address, _)| address).collect::<Vec<_>>().join(",");
        let started = NatsServers { children, url, _dir: dir };
        started.answers(servers).await?;
        Ok(Some(started))
    }

    async fn answers(&self, servers: Servers) -> Result<(), Failure> {
        for _ in 0..300 {
            if let Ok(client) = Access::default().connect(&self.url, |options| options).await {
                let context = jetstream::new(client);
                if matches!(servers, Servers::Plain) || context.query_account().await.is_ok() {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Failure::usage(format!("nats-server did not answer at {}", self.url)))
    }
}

/// Address and settings of each server.
fn settings(servers: Servers, dir: &Path) -> std::io::Result<Vec<(String, String)>> {
    let count = match servers {
        Servers::Plain => 1,
        Servers::JetStream { count, .. } => count,
    };
    let addresses: Vec<String> = (0..count).map(|_| free_address()).collect::<Result<_, _>>()?;
    let routes: Vec<String> = (0..count).map(|_| free_address()).collect::<Result<_, _>>()?;
    let all_routes = routes.iter().map(|route| format!("\"nats://{route}\"")).collect::<Vec<_>>().join(", ");
    let of_one = |(at, (address, route)): (usize, (String, String))| {
        let mut settings = format!("server_name: n{at}\nlisten: \"{address}\"\n");
        if let Servers::JetStream { sync_always, .. } = servers {
            let store = dir.join(format!("store-{at}"));
            let sync = if sync_always { "always" } else { "2m" };
            settings += &format!("jetstream {{ store_dir: {store:?}, sync_interval: {sync} }}\n");
        }
        if count > 1 {
            settings += &format!("cluster {{ name: bench, listen: \"{route}\", routes: [{all_routes}] }}\n");
        }
        (address, settings)
    };
    Ok(addresses.into_iter().zip(routes).enumerate().map(of_one).collect())
}

fn free_address() -> std::io::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
