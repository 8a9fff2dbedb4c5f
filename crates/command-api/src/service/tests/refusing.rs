//! A running service that takes no commands for a while, and says so before anybody sends one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::{FileJournal, Frame, Head, Journal, JournalRead, Outcome as Fate, RealDisk, Space};
use ledger_core::values::{Name, Text};
use ledger_core::{Ledger, Settings};

use super::kept::ready;
use super::scrubbed::wait_until;
use super::{define, options};
use crate::service::Service;
use crate::service::keeper::{InMemory, Keeper};
use crate::service::writing::wall_clock;
use crate::writer::{Input, Output, Writer};

/// A disk without room for the next segment, until it is told that there is.
struct Full {
    kept: InMemory,
    has_room: Arc<AtomicBool>,
}

impl Journal for Full {
    fn submit(&mut self, frame: Frame) {
        self.kept.submit(frame);
    }

    fn poll(&mut self) -> Option<Fate> {
        self.kept.poll()
    }
}

impl Keeper for Full {
    fn space(&self) -> Space {
        match self.has_room.load(Ordering::Relaxed) {
            true => Space::Enough,
            false => Space::Low { why: "no space left on device".into() },
        }
    }

    fn stop(self: Box<Self>) -> Result<(), journal::Fault> {
        Ok(())
    }
}

fn says(service: &Service, line: &str) -> bool {
    crate::metrics::exposition(std::iter::once(service)).lines().any(|found| found == line)
}

#[tokio::test]
async fn a_full_disk_is_told_by_health_and_metrics_until_there_is_room() {
    let has_room = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&has_room);
    let keeper = move |journal, wake| -> Box<dyn Keeper> {
        Box::new(Full { kept: InMemory { journal, wake }, has_room: told })
    };
    let service = Service::kept_by(options(Path::new("nowhere")), keeper, |reader| reader).unwrap();
    wait_until("the full disk is told", || service.trouble().is_some()).await;
    let (status, problem) = ready(service.clone()).await;
    assert!(status == 503 && problem.contains("disk_full") && problem.contains("no space left"), "{problem}");
    assert!(says(&service, "bincard_space_low{ledger=\"main\"} 1"));
    assert!(says(&service, "bincard_ready{ledger=\"main\"} 0"));
    assert_eq!(service.submit(define("A")).await.code(), Some("disk_full"));

    has_room.store(true, Ordering::Relaxed);
    wait_until("there is room", || service.trouble().is_none()).await;
    assert!(says(&service, "bincard_space_low{ledger=\"main\"} 0"));
    assert_eq!(service.submit(define("A")).await.status(), "accepted");
}

/// A ledger whose last entry was recorded an hour from now.
fn written_by_a_clock_ahead(data: &Path) {
    let segments = journal::Options::default();
    std::fs::create_dir_all(data.join("main")).unwrap();
    let mut journal = FileJournal::create(RealDisk, &data.join("main"), [7; 16], segments).unwrap();
    let head: Head = journal.reader().head();
    let (settings, program) =
        (Settings::named(Name::try_new("main").unwrap()), Name::try_new("bincard test").unwrap());
    let now = wall_clock().plus_micros(3_600_000_000);
    let mut out: Vec<Output<()>> = Vec::new();
    let mut writer = Writer::start(Ledger::new(), head, settings, program, now, &mut out);
    for output in out {
        if let Output::Append(frame) = output {
            journal.submit(frame);
        }
    }
    let durable = journal.poll().expect("a file journal tells at once");
    writer.step(Input::Journal(durable), now, &mut Vec::new());
    journal.close().unwrap();
}

#[tokio::test]
async fn a_clock_that_is_not_believed_is_told_by_health_and_metrics_until_it_is_confirmed() {
    let data = tempfile::tempdir().unwrap();
    written_by_a_clock_ahead(data.path());
    let service = Service::start(options(data.path())).unwrap();
    wait_until("the clock is told", || service.trouble().is_some()).await;
    let (status, problem) = ready(service.clone()).await;
    assert!(status == 503 && problem.contains("clock_suspect"), "{problem}");
    assert!(says(&service, "bincard_clock_suspect{ledger=\"main\"} 1"));
    assert_eq!(service.submit(define("A")).await.code(), Some("clock_suspect"));

    assert_eq!(service.confirm_clock(), Ok(()));
    wait_until("the clock is believed", || service.trouble().is_none()).await;
    assert!(says(&service, "bincard_clock_suspect{ledger=\"main\"} 0"));
    assert_eq!(service.submit(define("A")).await.status(), "accepted");
}
