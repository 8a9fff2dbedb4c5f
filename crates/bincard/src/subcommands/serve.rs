//! `bincard serve`: one ledger, on HTTP and, if a server is named, on NATS, until it is told to stop.

use std::io::{self, IsTerminal};
use std::time::Duration;

use command_api::service::{Options, Replication, Role};
use command_api::{Auth, Ledgers, Service, Traces, feed, http, nats};
use journal::Lock;
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::archiving;
use super::offline;
use super::on_nats::OnNats;
use super::securing;
use super::telemetry::Telemetry;
use crate::cli::{Failure, JournalKind, RoleChoice, ServeArgs, exit};

/// How long requests that are under way may take when the service is told to stop.
const GOODBYE: Duration = Duration::from_secs(10);

/// Serves until SIGINT or SIGTERM, and leaves cleanly.
pub(super) async fn run(ledger: &str, args: ServeArgs) -> Result<u8, Failure> {
    log_to_stderr(args.log_json);
    let telemetry = Telemetry::start()?;
    // The address is known before the ledger is opened, so that the lock can name it.
    let listener = TcpListener::bind(args.http).await.map_err(|error| unbound(ledger, &args, &error))?;
    let auth = securing::auth(&args).await?;
    let identity = securing::identity(&args.security)?;
    let scheme = if identity.is_some() { "https" } else { "http" };
    let http_url = format!("{scheme}://{}", listener.local_addr()?);
    let archive = archiving::archive(ledger, &args)?;
    let address = match &args.nats {
        Some(nats) => format!("{http_url} and on NATS {}", nats::without_secrets(nats)),
        None => http_url.clone(),
    };

    // What the feed has seen is a witness for the journal, so NATS is asked first.
    let nats = match &args.nats {
        Some(url) => Some(OnNats::connect(url, ledger, &args).await?),
        None => None,
    };
    let feed_seen = nats.as_ref().and_then(|nats| nats.feed_seen);
    let service = start(ledger, &args, address.clone(), auth.clone(), telemetry.traces(), feed_seen).await?;
    let (stop, stopping) = watch::channel(false);
    let nats_doors = match nats {
        Some(nats) => match nats.serve(&service, &args).await {
            Ok(doors) => Some(doors),
            Err(failure) => {
                closed(&service).await?;
                return Err(failure);
            }
        },
        None => None,
    };
    let ledgers = Ledgers::from(service.clone());
    let (http_door, shown) = match identity {
        None => (tokio::spawn(http::serve(listener, ledgers, until(stopping))), None),
        Some(identity) => {
            let (shown, showing) = watch::channel(identity);
            let listener = http::TlsListener::start(listener, showing)?;
            (tokio::spawn(http::serve(listener, ledgers, until(stopping))), Some(shown))
        }
    };
    let renewing = tokio::spawn(securing::renew(args.security.clone(), auth, shown));
    let archiving = archive.map(|archive| archiving::start(archive, &args, &service));
    // Whoever reads that it is served may tell it to stop at once.
    let signals = Signals::heard()?;
    println!("bincard: ledger {ledger} is served at {address}, data in {}", args.data.join(ledger).display());

    let writer_stopped = signals.wait_for_the_end(&service, args.exit_on_stop).await;
    renewing.abort();
    if let Some(archiving) = archiving {
        archiving.abort();
    }
    stop.send_replace(true);
    if let Some(doors) = nats_doors
        && let Err(fault) = doors.stop().await
    {
        tracing::warn!(%fault, "NATS was left without a goodbye");
    }
    match tokio::time::timeout(GOODBYE, http_door).await {
        Ok(served) => served.expect("serving HTTP does not panic")?,
        Err(_) => tracing::warn!("requests over HTTP were still under way after {} s", GOODBYE.as_secs()),
    }
    closed(&service).await?;
    telemetry.stop().await;
    match writer_stopped {
        Some(why) => Err(Failure::refused(format!("the writer stopped: {why}; start again to go on"))),
        None => Ok(exit::DONE),
    }
}

/// Why there is no address to serve at: perhaps the ledger is served there already.
fn unbound(ledger: &str, args: &ServeArgs, error: &io::Error) -> Failure {
    match Lock::shared(&args.data.join(ledger)) {
        Err(in_use @ journal::Fault::InUse { .. }) => Failure::usage(in_use),
        _ => Failure::usage(format!("--http {}: {error}; choose another address", args.http)),
    }
}

async fn start(
    ledger: &str,
    args: &ServeArgs,
    address: String,
    auth: Auth,
    traces: Traces,
    feed_seen: Option<feed::Seen>,
) -> Result<Service, Failure> {
    let name = Name::try_new(ledger).map_err(|fault| Failure::usage(format!("--ledger: {fault}")))?;
    let mut options = Options::new(&args.data, Settings::named(name));
    options.address = address;
    options.auth = auth;
    options.traces = traces;
    options.feed_seen = feed_seen;
    options.replication = replication(args)?;
    options.snapshot_every = args.snapshot_every;
    let started = tokio::task::spawn_blocking(|| Service::start(options)).await;
    let started = started.expect("opening a ledger does not panic");
    started.map_err(|fault| crate::door::opening_fault(fault).into())
}

/// How this instance shares the ledger with others, if it does.
fn replication(args: &ServeArgs) -> Result<Option<Replication>, Failure> {
    if args.journal == JournalKind::File {
        let alone = "wanted --journal jetstream with --role: a journal in files has one service, which does everything";
        return if args.role == RoleChoice::All { Ok(None) } else { Err(Failure::usage(alone)) };
    }
    let role = match args.role {
        RoleChoice::Writer => Role::Writer,
        RoleChoice::Query => Role::Query,
        RoleChoice::All => Role::All,
    };
    let server =
        offline::nats_server(args.nats.as_deref(), &args.nats_access.access(), "--journal jetstream")?;
    Ok(Some(Replication { server, replicas: args.replicas.into(), role }))
}

async fn closed(service: &Service) -> Result<(), Failure> {
    let service = service.clone();
    let stopped = tokio::task::spawn_blocking(move || service.stop()).await;
    stopped
        .expect("closing a ledger does not panic")
        .map_err(|fault| crate::door::opening_fault(fault).into())
}

/// What tells a service to stop. Before they are heard, they end the process as they end any.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn heard() -> io::Result<Signals> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Signals { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for a signal; or, if that is to be the end, for the writer to stop: then the reason is given.
    async fn wait_for_the_end(mut self, service: &Service, exit_on_stop: bool) -> Option<String> {
        tokio::select! {
            _ = self.interrupt.recv() => tracing::info!("interrupted: stopping"),
            _ = self.terminate.recv() => tracing::info!("asked to stop: stopping"),
            why = service.stopped(), if exit_on_stop => return Some(why),
        }
        None
    }
}

async fn until(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone: that is a stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

fn log_to_stderr(as_json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    if as_json {
        log.json().init();
    } else {
        log.with_ansi(io::stderr().is_terminal()).init();
    }
}
