//! Which door is meant: the arguments first, then the environment, then the default address.

use std::path::{Path, PathBuf};

use journal::Lock;

use super::http::HttpDoor;
use super::local::LocalDoor;
use super::nats::NatsDoor;
use super::{Door, DoorFault};
use crate::cli::{ClientAccessArgs, DoorArgs};

/// Where a service answers when nobody says otherwise.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:7400";

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A service on NATS.
    Nats(String),
    /// A service on HTTP.
    Http(String),
    /// The ledger's own folder; no service has it.
    Folder(PathBuf),
}

/// Whom the arguments mean: --nats, --http or --data; else NATS_URL, else the default address.
pub fn asked(args: &DoorArgs, ledger: &str) -> Result<Asked, DoorFault> {
    if let Some(url) = &args.nats {
        return Ok(Asked::Nats(url.clone()));
    }
    if let Some(url) = &args.http {
        return Ok(Asked::Http(url.clone()));
    }
    if let Some(data) = &args.data {
        return of_folder(data, ledger);
    }
    match std::env::var("NATS_URL") {
        Ok(url) if !url.is_empty() => Ok(Asked::Nats(url)),
        _ => Ok(Asked::Http(DEFAULT_ADDRESS.to_owned())),
    }
}

/// The folder of a ledger, unless a service has it: then that service.
fn of_folder(data: &Path, ledger: &str) -> Result<Asked, DoorFault> {
    let dir = data.join(ledger);
    match Lock::shared(&dir) {
        Ok(_) => Ok(Asked::Folder(data.to_owned())),
        Err(journal::Fault::InUse { address }) => match served_at(&address) {
            Some(url) => Ok(Asked::Http(url)),
            None => Err(DoorFault::Held { dir, by: address }),
        },
        Err(fault) => Err(DoorFault::NotOpened { why: fault.to_string() }),
    }
}

/// The HTTP or HTTPS address in what a lock says, if it says one.
fn served_at(address: &str) -> Option<String> {
    let at = address.find("http://").or_else(|| address.find("https://"))?;
    address[at..].split([' ', ',', ';']).next().map(str::to_owned)
}

/// The door to a running service; a folder that nobody serves is opened by this process.
pub async fn choose(args: &DoorArgs, ledger: &str) -> Result<Door, DoorFault> {
    open(asked(args, ledger)?, ledger, &args.access).await
}

/// The door for an import: without --nats and --http it is the folder.
pub async fn for_loading(args: &DoorArgs, ledger: &str) -> Result<Door, DoorFault> {
    let mut args = args.clone();
    if args.nats.is_none() && args.http.is_none() && args.data.is_none() {
        args.data = Some(default_folder());
    }
    choose(&args, ledger).await
}

/// The folder of ledgers when nobody names one.
pub fn default_folder() -> PathBuf {
    let data = std::env::var_os("BINCARD_DATA_DIR").filter(|data| !data.is_empty());
    data.map_or_else(|| PathBuf::from("bincard-data"), PathBuf::from)
}

async fn open(asked: Asked, ledger: &str, access: &ClientAccessArgs) -> Result<Door, DoorFault> {
    match asked {
        Asked::Nats(url) => NatsDoor::open(&url, ledger, access).await.map(Door::Nats),
        Asked::Http(url) => HttpDoor::open(&url, ledger, access).map(Door::Http),
        Asked::Folder(data) => LocalDoor::open(&data, ledger).await.map(Door::Local),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_before_everything() {
        let nats = DoorArgs { nats: Some("nats://a:1".into()), ..DoorArgs::default() };
        assert_eq!(asked(&nats, "main").unwrap(), Asked::Nats("nats://a:1".into()));
        let http = DoorArgs { http: Some("b:2".into()), ..DoorArgs::default() };
        assert_eq!(asked(&http, "main").unwrap(), Asked::Http("b:2".into()));
    }

    #[test]
    fn a_folder_leads_to_the_service_that_serves_it() {
        let data = tempfile::tempdir().unwrap();
        let args = DoorArgs { data: Some(data.path().to_owned()), ..DoorArgs::default() };
        assert_eq!(asked(&args, "main").unwrap(), Asked::Folder(data.path().to_owned()));

        let held =
            Lock::exclusive(&data.path().join("main"), "http://127.0.0.1:7401 and nats://127.0.0.1:4222");
        assert_eq!(asked(&args, "main").unwrap(), Asked::Http("http://127.0.0.1:7401".into()));
        drop(held);

        let _held = Lock::exclusive(&data.path().join("main"), "an import, process 17");
        let fault = asked(&args, "main").unwrap_err().to_string();
        assert!(fault.contains("an import, process 17"), "{fault}");
    }
}
