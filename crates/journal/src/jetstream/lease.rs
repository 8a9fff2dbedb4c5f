//! Who should write: one key, renewed by its holder, taken over by another instance when it is not.
//!
//! The lease keeps instances from taking the ledger from each other all the time, and no more than that: what keeps
//! two from being acknowledged is the epoch in the stream. So it may be wrong in both directions. Its age is measured
//! by whoever watches it, on a clock of its own, from the last renewal it saw: no two clocks have to agree, and no
//! time counts in which the servers did not answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv::{Config, CreateErrorKind, Store, UpdateErrorKind};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::link::Link;

/// How often the lease is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often its holder renews it.
pub const LEASE_RENEWAL: Duration = Duration::from_millis(300);
/// A lease that was not renewed for so long may be taken.
pub const LEASE_LAPSE: Duration = Duration::from_millis(1_200);
/// The one key of the bucket.
const KEY: &str = "writer";

/// Who holds the lease, as everybody can read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Names a process for as long as it runs; empty when the lease was given back.
    pub instance: String,
    /// Where it can be asked.
    pub address: String,
}

/// The lease as this instance sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// This instance should write.
    pub is_mine: bool,
    /// Whoever should, if anybody is known.
    pub holder: Option<Holder>,
    /// A renewal by that holder was seen.
    pub holder_is_alive: bool,
}

/// Called when the lease has changed hands, on a thread that must not be held up.
pub type OnChange = Box<dyn Fn(&Standing) + Send>;

/// Watches the lease, and holds it when told to. Dropped, it is left to lapse; give it back first.
pub struct Lease {
    wanted: watch::Sender<bool>,
    standing: watch::Receiver<Standing>,
    on_change: Arc<Mutex<Option<OnChange>>>,
    task: JoinHandle<()>,
}

impl Lease {
    pub(super) fn keep(
        link: Arc<Link>,
        ledger: &str,
        replicas: usize,
        instance: &str,
        address: &str,
    ) -> Lease {
        let (wanted, wanted_in) = watch::channel(false);
        let (standing_out, standing) = watch::channel(Standing::default());
        let config = Config {
            bucket: format!("BINCARD_{ledger}_LEASE"),
            description: "Which instance of a Bincard ledger should write".into(),
            history: 1,
            num_replicas: replicas,
            ..Config::default()
        };
        let own = Holder { instance: instance.to_owned(), address: address.to_owned() };
        let on_change = Arc::default();
        let keeping = Keeping {
            own,
            standing: standing_out,
            on_change: Arc::clone(&on_change),
            held: None,
            seen: None,
        };
        let task = Arc::clone(&link).handle().spawn(keeping.run(link, config, wanted_in));
        Lease { wanted, standing, on_change, task }
    }

    /// Calls this whenever the lease has changed hands.
    pub fn on_change(&self, told: OnChange) {
        *self.on_change.lock().expect(POISON) = Some(told);
    }

    /// Take the lease as soon as it is free, and hold it.
    pub fn want(&self) {
        self.wanted.send_replace(true);
    }

    /// Gives it back, and takes it no more until it is wanted again. Waits, no longer than this, until others can have it.
    pub fn give_back(&self, patience: Duration) {
        self.wanted.send_replace(false);
        let began = Instant::now();
        while self.standing.borrow().is_mine && began.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The lease as it is seen from here.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }
}

const POISON: &str = "no code panics while it tells of the lease";

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeping {
    own: Holder,
    standing: watch::Sender<Standing>,
    on_change: Arc<Mutex<Option<OnChange>>>,
    /// The revision that this instance wrote, and when it last did.
    held: Option<(u64, Instant)>,
    /// The newest revision of another, and when it was first seen.
    seen: Option<(u64, Instant)>,
}

impl Keeping {
    async fn run(mut self, link: Arc<Link>, config: Config, mut wanted: watch::Receiver<bool>) {
        loop {
            let bucket = bucket(&link, &config).await;
            if let Some(bucket) = bucket
                && self.keep(&bucket, &mut wanted).await.is_none()
            {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Keeps the lease in this bucket, until the bucket is gone; `None` when nobody wants it kept any more.
    async fn keep(&mut self, bucket: &Store, wanted: &mut watch::Receiver<bool>) -> Option<()> {
        loop {
            let is_wanted = *wanted.borrow_and_update();
            let kept = match self.held {
                Some((revision, _)) if !is_wanted => self.give_back(bucket, revision).await,
                Some((revision, renewed)) if renewed.elapsed() >= LEASE_RENEWAL => {
                    self.renew(bucket, revision).await
                }
                Some(_) => Ok(()),
                None => self.watch(bucket, is_wanted).await,
            };
            if let Err(why) = kept {
                // Time in which nobody answers is not held against the holder.
                self.seen = self.seen.map(|(revision, _)| (revision, Instant::now()));
                tracing::debug!(why, "the lease could not be looked at");
                return Some(());
            }
            if let Ok(Err(_)) = tokio::time::timeout(TICK, wanted.changed()).await {
                return None;
            }
        }
    }

    async fn give_back(&mut self, bucket: &Store, revision: u64) -> Result<(), String> {
        let written = self.write(bucket, revision, &Holder::default()).await;
        // Whatever came of it: it is not renewed any more.
        self.held = None;
        self.tell(None, false);
        written.map(|_| ())
    }

    async fn renew(&mut self, bucket: &Store, revision: u64) -> Result<(), String> {
        match self.write(bucket, revision, &self.own.clone()).await? {
            Some(revision) => self.held = Some((revision, Instant::now())),
            None => match self.own_revision(bucket).await? {
                Some(revision) => self.held = Some((revision, Instant::now())),
                None => {
                    self.held = None;
                    self.tell(None, false);
                }
            },
        }
        Ok(())
    }

    /// The revision that this instance wrote without hearing of it: the acknowledgement of a renewal was lost.
    async fn own_revision(&self, bucket: &Store) -> Result<Option<u64>, String> {
        let entry = bucket.entry(KEY).await.map_err(|error| error.to_string())?;
        let holder = |value: &[u8]| serde_json::from_slice::<Holder>(value).unwrap_or_default();
        Ok(entry.filter(|entry| holder(&entry.value) == self.own).map(|entry| entry.revision))
    }

    async fn watch(&mut self, bucket: &Store, is_wanted: bool) -> Result<(), String> {
        let entry = bucket.entry(KEY).await.map_err(|error| error.to_string())?;
        let Some(entry) = entry else {
            return if is_wanted { self.create(bucket).await } else { Ok(()) };
        };
        let holder: Holder = serde_json::from_slice(&entry.value).unwrap_or_default();
        let is_renewed = self.seen.is_some_and(|(revision, _)| revision < entry.revision);
        if is_renewed || self.seen.is_none() {
            self.seen = Some((entry.revision, Instant::now()));
        }
        let has_lapsed = self.seen.is_some_and(|(_, since)| since.elapsed() >= LEASE_LAPSE);
        let is_free = holder.instance.is_empty() || holder == self.own || has_lapsed;
        self.tell(Some(holder), is_renewed);
        if !(is_wanted && is_free) {
            return Ok(());
        }
        if let Some(revision) = self.write(bucket, entry.revision, &self.own.clone()).await? {
            self.hold(revision);
        }
        Ok(())
    }

    async fn create(&mut self, bucket: &Store) -> Result<(), String> {
        match bucket.create(KEY, value_of(&self.own)).await {
            Ok(revision) => self.hold(revision),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn hold(&mut self, revision: u64) {
        self.held = Some((revision, Instant::now()));
        self.seen = None;
        self.tell(Some(self.own.clone()), true);
    }

    /// Writes over exactly this revision; `None` if another was quicker.
    async fn write(&self, bucket: &Store, revision: u64, holder: &Holder) -> Result<Option<u64>, String> {
        match bucket.update(KEY, value_of(holder), revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn tell(&self, holder: Option<Holder>, is_renewed: bool) {
        let holder = holder.filter(|holder| !holder.instance.is_empty());
        let told = self.standing.borrow().clone();
        let holder_is_alive =
            holder.is_some() && (is_renewed || (told.holder_is_alive && told.holder == holder));
        let standing = Standing { is_mine: self.held.is_some(), holder, holder_is_alive };
        if told == standing {
            return;
        }
        self.standing.send_replace(standing.clone());
        if let Some(on_change) = &*self.on_change.lock().expect(POISON) {
            on_change(&standing);
        }
    }
}

/// The bucket, created if it is not there.
async fn bucket(link: &Link, config: &Config) -> Option<Store> {
    match link.context().get_key_value(&config.bucket).await {
        Ok(bucket) => Some(bucket),
        Err(_) => match link.context().create_key_value(config.clone()).await {
            Ok(bucket) => Some(bucket),
            Err(error) => {
                tracing::debug!(%error, "the lease's bucket is not there");
                None
            }
        },
    }
}

fn value_of(holder: &Holder) -> bytes::Bytes {
    serde_json::to_vec(holder).expect("a holder is two texts").into()
}
