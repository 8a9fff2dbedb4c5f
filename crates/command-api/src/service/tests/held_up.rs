//! Views that are behind the journal, or stand still.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use journal::{Fault, Frame, FrameSource, Head, JournalRead};
use projections::Query;
use serde_json::json;

use super::scrubbed::wait_until;
use super::{define, options, send};
use crate::service::Service;
use crate::service::keeper::{InMemory, Keeper};

/// What the views' thread finds at the end of what it has read.
const GOES_ON: u8 = 0;
const NOTHING_NEW: u8 = 1;
const FAILS: u8 = 2;

/// A journal whose new frames come to the views when they are let.
struct HeldUp {
    journal: Arc<dyn JournalRead>,
    finds: Arc<AtomicU8>,
}

struct Source {
    frames: Box<dyn FrameSource>,
    finds: Arc<AtomicU8>,
}

impl JournalRead for HeldUp {
    fn head(&self) -> Head {
        self.journal.head()
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        self.journal.frame_at(sequence)
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        let (frames, finds) = (self.journal.frames_from(sequence)?, Arc::clone(&self.finds));
        Ok(Box::new(Source { frames, finds }))
    }
}

impl FrameSource for Source {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        match self.finds.load(Ordering::Relaxed) {
            GOES_ON => self.frames.next_frame(),
            FAILS => Err(Fault::Stopped { why: "the disk said I/O error".into() }),
            _ => Ok(None),
        }
    }

    fn place(&self) -> (PathBuf, u64) {
        self.frames.place()
    }
}

/// A service, and what holds its views up.
fn given_a_service() -> (Service, Arc<AtomicU8>) {
    let finds = Arc::new(AtomicU8::new(GOES_ON));
    let told = Arc::clone(&finds);
    let mut options = options(Path::new("nowhere"));
    options.min_position_wait = Duration::from_millis(700);
    let keeper = |journal, wake| -> Box<dyn Keeper> { Box::new(InMemory { journal, wake }) };
    let seen = |journal| -> Arc<dyn JournalRead> { Arc::new(HeldUp { journal, finds: told }) };
    (Service::kept_by(options, keeper, seen).unwrap(), finds)
}

#[tokio::test]
async fn an_accepted_command_is_never_unknown_while_the_views_are_behind() {
    let (service, finds) = given_a_service();
    finds.store(NOTHING_NEW, Ordering::Relaxed);
    let accepted = send(&service, define("A")).await;
    assert_eq!(accepted["status"], "accepted");
    let refused = service.command_status("define A").await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), ("unavailable", Some("position_not_reached")));
    let query = || serde_json::from_value::<Query>(json!({"filter": {"id": "define A"}})).unwrap();
    assert_eq!(service.query("command_status", query()).await.unwrap_err().code(), refused.code());

    finds.store(GOES_ON, Ordering::Relaxed);
    let reply = service.command_status("define A").await.unwrap().expect("it was accepted");
    assert_eq!(reply.status(), "accepted");
    assert_eq!(service.command_status("never sent").await, Ok(None));
    assert_eq!(
        service.query("command_status", query()).await.unwrap().rows[0]["sequence"],
        accepted["sequence"]
    );
}

#[tokio::test]
async fn health_says_how_the_service_does_and_has_the_lag_of_the_metric() {
    let (service, finds) = given_a_service();
    let health = async || service.query("health", Query::default()).await.unwrap().rows.remove(0);
    let row = health().await;
    assert_eq!(row["service"], json!({"writer": "writes", "writer_stuck_seconds": 0}));
    wait_until("the ledger's first entries are shown", || {
        service.position().sequence == service.durable_sequence()
    })
    .await;

    finds.store(NOTHING_NEW, Ordering::Relaxed);
    // The thread may be within a look at the journal that began before.
    tokio::time::sleep(Duration::from_millis(300)).await;
    send(&service, define("A")).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let row = health().await;
    assert_eq!(row["lag_entries"], 1);
    assert!((1..60).contains(&row["lag_seconds"].as_u64().unwrap()), "{row}");
    let metrics = crate::metrics::exposition(std::iter::once(&service));
    let lag =
        metrics.lines().find_map(|line| line.strip_prefix("bincard_views_lag_seconds{ledger=\"main\"} "));
    assert!((1..60).contains(&lag.unwrap().parse::<u64>().unwrap()), "{lag:?}");

    finds.store(FAILS, Ordering::Relaxed);
    wait_until("the views stand still", || service.trouble().is_some()).await;
    let row = health().await;
    assert!(row["service"]["views_stopped"].as_str().unwrap().contains("I/O error"), "{row}");
    assert_eq!(row["service"]["trouble"], row["service"]["views_stopped"]);
    finds.store(GOES_ON, Ordering::Relaxed);
    let then = serde_json::from_value(json!({"as_of": {"sequence": 1}})).unwrap();
    let then = service.query("health", then).await.unwrap().rows.remove(0);
    assert_eq!(then.get("service"), None, "it was not asked how it did then");
}
