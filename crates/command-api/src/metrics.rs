//! What was asked and answered, counted, in the text that Prometheus reads.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::reply::{Line, Reply};
use crate::service::{Ownership, Service};

const OUTCOMES: [&str; 9] =
    ["accepted", "duplicate", "dry_run", "rejected", "invalid", "conflict", "busy", "unavailable", "unknown"];

/// Counters since the start of the service.
#[derive(Debug, Default)]
pub struct Metrics {
    commands: [AtomicU64; OUTCOMES.len()],
    queries_answered: AtomicU64,
    queries_refused: AtomicU64,
    /// The last event that is certainly in the public feed; 0 while there is none.
    feed_event: AtomicU64,
    feed_stands_still: AtomicBool,
    inbox_outcomes: AtomicU64,
}

impl Metrics {
    /// Commands that ended so.
    pub fn commands(&self, outcome: &str) -> u64 {
        let place = OUTCOMES.iter().position(|known| *known == outcome);
        place.map_or(0, |place| self.commands[place].load(Ordering::Relaxed))
    }

    /// The last event that is certainly in the public feed; 0 without a feed.
    pub fn feed_event(&self) -> u64 {
        self.feed_event.load(Ordering::Relaxed)
    }

    /// True once the public feed cannot go on without an operator; the log says why.
    pub fn feed_stands_still(&self) -> bool {
        self.feed_stands_still.load(Ordering::Relaxed)
    }

    pub(crate) fn note_feed_stands_still(&self, stands_still: bool) {
        self.feed_stands_still.store(stands_still, Ordering::Relaxed);
    }

    /// Commands of the durable inbox whose outcome was stored.
    pub fn inbox_outcomes(&self) -> u64 {
        self.inbox_outcomes.load(Ordering::Relaxed)
    }

    pub(crate) fn count_inbox_outcome(&self) {
        self.inbox_outcomes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_feed_event(&self, ordinal: u64) {
        self.feed_event.store(ordinal, Ordering::Relaxed);
    }

    pub(crate) fn count_reply(&self, reply: &Reply) {
        let outcome = match reply {
            Reply::Accepted(accepted) if accepted.duplicate => "duplicate",
            Reply::Accepted(accepted) if accepted.dry_run => "dry_run",
            reply => reply.status(),
        };
        self.count(outcome);
    }

    pub(crate) fn count_line(&self, line: &Line) {
        let outcome = match line {
            Line { duplicate: true, .. } => "duplicate",
            Line { dry_run: true, .. } => "dry_run",
            Line { status, .. } => status,
        };
        self.count(outcome);
    }

    pub(crate) fn count_query(&self, answered: bool) {
        let counter = if answered { &self.queries_answered } else { &self.queries_refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, outcome: &str) {
        if let Some(place) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.commands[place].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The samples of a ledger: more labels, and the value.
type Samples<'f> = &'f dyn Fn(&Service, &mut Vec<(String, u64)>);

/// The Prometheus text of these ledgers.
pub fn exposition<'s>(services: impl Iterator<Item = &'s Service> + Clone) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: Samples| {
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("text takes text");
        for service in services.clone() {
            let mut found = Vec::new();
            samples(service, &mut found);
            for (labels, value) in found {
                writeln!(text, "{name}{{ledger=\"{}\"{labels}}} {value}", service.name())
                    .expect("text takes text");
            }
        }
    };
    family("bincard_commands_total", "counter", "Commands by outcome.", &|service, found| {
        found.extend(
            OUTCOMES.map(|outcome| (format!(",outcome=\"{outcome}\""), service.metrics().commands(outcome))),
        );
    });
    family("bincard_queries_total", "counter", "Queries by outcome.", &|service, found| {
        let Metrics { queries_answered, queries_refused, .. } = service.metrics();
        found.push((",outcome=\"answered\"".into(), queries_answered.load(Ordering::Relaxed)));
        found.push((",outcome=\"refused\"".into(), queries_refused.load(Ordering::Relaxed)));
    });
    family("bincard_queue_depth", "gauge", "Commands that wait for the writer.", &|service, found| {
        found.push((String::new(), service.queue_depth() as u64));
    });
    family("bincard_durable_sequence", "gauge", "The last durable entry.", &|service, found| {
        found.push((String::new(), service.durable_sequence()));
    });
    family(
        "bincard_views_lag_entries",
        "gauge",
        "Durable entries the views do not show yet.",
        &|service, found| {
            found.push((
                String::new(),
                service.durable_sequence().saturating_sub(service.position().sequence),
            ));
        },
    );
    family("bincard_feed_event", "gauge", "The last event in the public feed.", &|service, found| {
        found.extend(feed_event(service).map(|event| (String::new(), event)));
    });
    family(
        "bincard_feed_stands_still",
        "gauge",
        "1 when the public feed needs an operator.",
        &|service, found| {
            found.push((String::new(), u64::from(service.metrics().feed_stands_still())));
        },
    );
    family(
        "bincard_feed_lag_events",
        "gauge",
        "Durable events the public feed does not have yet.",
        &|service, found| {
            let lag = |event| service.journal().head().event.saturating_sub(event);
            found.extend(feed_event(service).map(|event| (String::new(), lag(event))));
        },
    );
    family(
        "bincard_inbox_outcomes_total",
        "counter",
        "Commands of the inbox with a stored outcome.",
        &|service, found| {
            found.push((String::new(), service.metrics().inbox_outcomes()));
        },
    );
    family("bincard_epoch", "counter", "Starts of the writer.", &|service, found| {
        found.push((String::new(), service.epoch()));
    });
    family("bincard_owner", "gauge", "1 while this instance writes the ledger.", &|service, found| {
        let owns = matches!(*service.ownership().borrow(), Ownership::Owner { .. });
        found.push((String::new(), u64::from(owns)));
    });
    family("bincard_ready", "gauge", "1 while commands are taken and views move.", &|service, found| {
        found.push((String::new(), u64::from(service.trouble().is_none())));
    });
    text
}

/// The feed's last event; `None` where there is no feed.
fn feed_event(service: &Service) -> Option<u64> {
    Some(service.metrics().feed_event()).filter(|event| *event > 0)
}
