//! Everything that is counted, in the text that Prometheus reads.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use ledger_core::Command;

use super::{BATCH, Histogram, Metrics, OUTCOMES};
use crate::service::{Ownership, Service};

/// The samples of a ledger: more labels, and the value.
type Samples<'f> = &'f dyn Fn(&Service, &mut Vec<(String, u64)>);
/// The histograms of a ledger: more labels, and the histogram.
type Histograms<'f> = &'f dyn for<'s> Fn(&'s Metrics) -> Vec<(String, &'s Histogram)>;

/// The Prometheus text of these ledgers. May read their journals: call it where blocking is fine.
pub fn exposition<'s>(services: impl Iterator<Item = &'s Service> + Clone) -> String {
    let ledgers: Vec<&Service> = services.collect();
    let mut page = Page { text: String::new(), ledgers: &ledgers };
    commands(&mut page);
    writer(&mut page);
    timers(&mut page);
    queries(&mut page);
    journal(&mut page);
    views(&mut page);
    snapshots(&mut page);
    feed(&mut page);
    archive(&mut page);
    page.one("bincard_epoch", "counter", "Starts of the writer.", &Service::epoch);
    page.one("bincard_owner", "gauge", "1 while this instance writes the ledger.", &|service| {
        u64::from(matches!(*service.ownership().borrow(), Ownership::Owner { .. }))
    });
    page.one("bincard_ready", "gauge", "1 while commands are taken and views move.", &|service| {
        u64::from(service.trouble().is_none())
    });
    page.family("bincard_info", "gauge", "Always 1; says what runs.", &|service, found| {
        let (version, uuid) = (env!("CARGO_PKG_VERSION"), service.uuid());
        found.push((format!(",version=\"{version}\",uuid=\"{uuid}\""), 1));
    });
    page.text
}

fn commands(page: &mut Page<'_>) {
    page.family("bincard_commands_total", "counter", "Commands by outcome.", &|service, found| {
        found.extend(
            OUTCOMES.map(|outcome| (format!(",outcome=\"{outcome}\""), service.metrics().commands(outcome))),
        );
    });
    page.family("bincard_recorded_total", "counter", "Recorded commands by name.", &|service, found| {
        for kind in Command::KINDS {
            let recorded = service.metrics().recorded[usize::from(kind.number)].load(Ordering::Relaxed);
            found.push((format!(",command=\"{}\"", kind.name), recorded));
        }
    });
    page.histograms(
        "bincard_answer_seconds",
        "From a command's arrival at a door to its answer, by outcome.",
        &|metrics| {
            let outcomes = OUTCOMES.iter().copied().chain(["batch"]).zip(&metrics.answer_times[..=BATCH]);
            outcomes.map(|(outcome, times)| (format!(",outcome=\"{outcome}\""), times)).collect()
        },
    );
    page.one("bincard_queue_depth", "gauge", "Commands that wait for the writer.", &|service| {
        service.queue_depth() as u64
    });
}

fn writer(page: &mut Page<'_>) {
    page.histograms(
        "bincard_queue_wait_seconds",
        "How long the first of the commands that the writer takes together has waited.",
        &|metrics| vec![(String::new(), &metrics.queue_waits)],
    );
    let help = "How long the oldest command has waited while nothing is decided and nothing becomes durable.";
    page.one("bincard_writer_stuck_seconds", "gauge", help, &|service| {
        service.writer_stands_still().as_secs()
    });
    let help = "1 while there is no room for the journal's next segment: commands are busy.";
    page.one("bincard_space_low", "gauge", help, &|service| {
        u64::from(service.metrics().refuses().space.is_some())
    });
    let help = "1 while the wall clock cannot be believed: commands are busy.";
    page.one("bincard_clock_suspect", "gauge", help, &|service| {
        u64::from(service.metrics().refuses().clock.is_some())
    });
}

fn timers(page: &mut Page<'_>) {
    let help = "What is due and not decided yet; counted up to 10000.";
    page.one("bincard_due_waiting", "gauge", help, &|service| {
        service.metrics().due_waiting.load(Ordering::Relaxed)
    });
    let help = "How long the first of what is due has been due.";
    page.one("bincard_due_overdue_seconds", "gauge", help, &|service| {
        let since = service.metrics().due_since_us.load(Ordering::Relaxed);
        if since == i64::MAX { 0 } else { seconds_since(since) }
    });
}

fn queries(page: &mut Page<'_>) {
    page.family("bincard_queries_total", "counter", "Queries by outcome.", &|service, found| {
        let Metrics { queries_answered, queries_refused, .. } = service.metrics();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        found.push((",outcome=\"answered\"".into(), count(queries_answered)));
        found.push((",outcome=\"refused\"".into(), count(queries_refused)));
    });
    page.histograms(
        "bincard_query_seconds",
        "From a query's arrival to its answer, waiting for its position included.",
        &|metrics| vec![(String::new(), &metrics.query_times)],
    );
}

fn journal(page: &mut Page<'_>) {
    page.histograms("bincard_frame_bytes", "Length of frames.", &|metrics| {
        vec![(String::new(), &metrics.frame_bytes)]
    });
    page.histograms("bincard_frame_entries", "Entries of frames.", &|metrics| {
        vec![(String::new(), &metrics.frame_entries)]
    });
    page.histograms(
        "bincard_append_seconds",
        "From handing a frame to the journal to its being durable.",
        &|metrics| vec![(String::new(), &metrics.append_times)],
    );
    page.one("bincard_durable_sequence", "gauge", "The last durable entry.", &Service::durable_sequence);
    let help = "The last entry of the sealed segments that were read again in this round.";
    page.family("bincard_scrubbed_sequence", "gauge", help, &|service, found| {
        found.extend(service.scrubbed().map(|scrubbed| (String::new(), scrubbed.sequence())));
    });
    let help = "Sealed segments that did not read well.";
    page.family("bincard_journal_damaged", "gauge", help, &|service, found| {
        found.extend(service.scrubbed().map(|scrubbed| (String::new(), scrubbed.damaged_segments())));
    });
}

fn views(page: &mut Page<'_>) {
    page.one(
        "bincard_views_lag_entries",
        "gauge",
        "Durable entries the views do not show yet.",
        &|service| service.durable_sequence().saturating_sub(service.position().sequence),
    );
    page.one(
        "bincard_views_lag_seconds",
        "gauge",
        "Age of the oldest durable entry the views do not show yet.",
        &|service| service.views_lag().as_secs(),
    );
    let help = "1 while the projections folder takes no writes: the index of the views stays in memory.";
    page.one("bincard_views_store_failing", "gauge", help, &|service| {
        u64::from(service.projections().store_trouble().is_some())
    });
}

/// The newest snapshot: taken by this service, or the one that it began with.
fn snapshots(page: &mut Page<'_>) {
    let help = "The last entry in the newest snapshot.";
    page.family("bincard_snapshot_sequence", "gauge", help, &|service, found| {
        let newest = service.projections().last_snapshot();
        found.extend(newest.map(|taken| (String::new(), taken.head.sequence)));
    });
    let help = "Seconds since the last entry in the newest snapshot was recorded.";
    page.family("bincard_snapshot_age_seconds", "gauge", help, &|service, found| {
        let newest = service.projections().last_snapshot();
        found.extend(newest.map(|taken| (String::new(), seconds_since(taken.head.log_time_us))));
    });
    let help =
        "Always 1; the hash of the ledger in the newest snapshot: the same wherever that sequence is folded.";
    page.family("bincard_state_hash_info", "gauge", help, &|service, found| {
        found.extend(service.projections().last_snapshot().map(|taken| {
            let (sequence, format, hash) = (taken.head.sequence, taken.state.format, taken.state.root);
            (format!(",sequence=\"{sequence}\",format=\"{format}\",hash=\"{hash}\""), 1)
        }));
    });
}

fn feed(page: &mut Page<'_>) {
    page.family("bincard_feed_event", "gauge", "The last event in the public feed.", &|service, found| {
        found.extend(feed_event(service).map(|event| (String::new(), event)));
    });
    let help = "Durable events the public feed does not have yet.";
    page.family("bincard_feed_lag_events", "gauge", help, &|service, found| {
        let lag = |event| service.journal().head().event.saturating_sub(event);
        found.extend(feed_event(service).map(|event| (String::new(), lag(event))));
    });
    let help = "1 when the public feed needs an operator.";
    page.one("bincard_feed_stands_still", "gauge", help, &|service| {
        u64::from(service.metrics().feed_stands_still())
    });
    let help = "Commands of the inbox with a stored outcome.";
    page.one("bincard_inbox_outcomes_total", "counter", help, &|service| service.metrics().inbox_outcomes());
}

fn archive(page: &mut Page<'_>) {
    let help = "The last entry in the archive.";
    page.family("bincard_archived_sequence", "gauge", help, &|service, found| {
        let up_to = service.metrics().archived_sequence.load(Ordering::Relaxed);
        found.extend((up_to > 0).then_some((String::new(), up_to)));
    });
    let help = "1 while a sealed segment cannot be sent to the archive.";
    page.one("bincard_archive_stands_still", "gauge", help, &|service| {
        u64::from(service.metrics().archive_stands_still.load(Ordering::Relaxed))
    });
}

/// The feed's last event; `None` where there is no feed.
fn feed_event(service: &Service) -> Option<u64> {
    Some(service.metrics().feed_event()).filter(|event| *event > 0)
}

/// By the wall clock of now.
fn seconds_since(log_time_us: i64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let since = u64::try_from(log_time_us / 1_000_000).unwrap_or_default();
    now.as_secs().saturating_sub(since)
}

/// The text so far, and whose it is. Each family is there once, with the lines of every ledger.
struct Page<'l> {
    text: String,
    ledgers: &'l [&'l Service],
}

impl Page<'_> {
    fn one(&mut self, name: &str, kind: &str, help: &str, value: &dyn Fn(&Service) -> u64) {
        self.family(name, kind, help, &|service, found| found.push((String::new(), value(service))));
    }

    fn family(&mut self, name: &str, kind: &str, help: &str, samples: Samples<'_>) {
        self.title(name, kind, help);
        for service in self.ledgers {
            let mut found = Vec::new();
            samples(service, &mut found);
            for (labels, value) in found {
                writeln!(self.text, "{name}{{ledger=\"{}\"{labels}}} {value}", service.name())
                    .expect("text takes text");
            }
        }
    }

    fn histograms(&mut self, name: &str, help: &str, histograms: Histograms<'_>) {
        self.title(name, "histogram", help);
        for service in self.ledgers {
            for (labels, histogram) in histograms(service.metrics()) {
                histogram.write(name, &format!("ledger=\"{}\"{labels}", service.name()), &mut self.text);
            }
        }
    }

    fn title(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("text takes text");
    }
}
