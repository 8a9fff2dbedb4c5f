//! What was asked and answered, counted, in the text that Prometheus reads.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::reply::{Line, Reply};
use crate::service::Service;

const OUTCOMES: [&str; 9] =
    ["accepted", "duplicate", "dry_run", "rejected", "invalid", "conflict", "busy", "unavailable", "unknown"];

/// Counters since the start of the service.
#[derive(Debug, Default)]
pub struct Metrics {
    commands: [AtomicU64; OUTCOMES.len()],
    queries_answered: AtomicU64,
    queries_refused: AtomicU64,
}

impl Metrics {
    /// Commands that ended so.
    pub fn commands(&self, outcome: &str) -> u64 {
        let place = OUTCOMES.iter().position(|known| *known == outcome);
        place.map_or(0, |place| self.commands[place].load(Ordering::Relaxed))
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
    family("bincard_epoch", "counter", "Starts of the writer.", &|service, found| {
        found.push((String::new(), service.epoch()));
    });
    family("bincard_ready", "gauge", "1 while commands are taken and views move.", &|service, found| {
        found.push((String::new(), u64::from(service.trouble().is_none())));
    });
    text
}
