//! The server: its own folder, a unix socket there, no password, and settings that a careful operator would choose.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres::{Client, NoTls};
use tempfile::TempDir;

use super::super::Fault;

/// What the rows say about it.
pub(super) const SETTINGS: &str = "unix socket, prepared statements, fsync and synchronous_commit on, shared_buffers 1GB, \
                                   wal_buffers 64MB, max_wal_size 8GB, checkpoints every 30 min";
const OPTIONS: &str = "-c listen_addresses='' -c fsync=on -c synchronous_commit=on -c shared_buffers=1GB \
                       -c wal_buffers=64MB -c max_wal_size=8GB -c checkpoint_timeout=30min -c max_connections=80";
/// Who runs it: the server refuses to be run by root.
const USER: &str = "postgres";

/// A server that ends with this.
pub(super) struct Server {
    programs: PathBuf,
    folder: TempDir,
    as_other_user: bool,
}

impl Server {
    /// Makes a new cluster in a folder below `dir` and starts it; or says why there is none here.
    pub(super) fn start(dir: &Path) -> Result<Server, Fault> {
        let programs =
            programs().ok_or("there is no PostgreSQL: wanted initdb in PATH or /usr/lib/postgresql/*/bin")?;
        let folder = tempfile::Builder::new().prefix("bench-postgres-").tempdir_in(dir)?;
        let as_other_user = std::fs::metadata("/proc/self")?.uid() == 0;
        let server = Server { programs, folder, as_other_user };
        if as_other_user {
            done(Command::new("chown").arg(USER).arg(server.folder.path()))?;
        }
        let data = server.data();
        done(
            server
                .program("initdb")
                .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
                .arg(&data),
        )?;
        let options = format!("{OPTIONS} -c unix_socket_directories='{}'", server.folder.path().display());
        let log = server.folder.path().join("log");
        done(
            server
                .program("pg_ctl")
                .args(["-w", "-D"])
                .arg(&data)
                .arg("-l")
                .arg(log)
                .args(["-o", &options, "start"]),
        )?;
        Ok(server)
    }

    /// A connection of its own.
    pub(super) fn connect(&self) -> Result<Client, Fault> {
        let socket = self.folder.path().display();
        Ok(Client::connect(&format!("host={socket} user={USER} dbname=postgres"), NoTls)?)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if self.as_other_user {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At worst it is stopped already; its folder goes in any case.
        let _ = done(self.program("pg_ctl").args(["-m", "immediate", "-D"]).arg(self.data()).arg("stop"));
    }
}

fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    debian.chain(on_path).find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn done(command: &mut Command) -> Result<(), Fault> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = output.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
}
