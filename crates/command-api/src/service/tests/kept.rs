//! A running service whose journal fails, or does not answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use journal::{Frame, Journal, Outcome as Fate, Space};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{available, define, open_a_shop, options};
use crate::service::Service;
use crate::service::keeper::{InMemory, Keeper};

/// Fails at the frame with this number, and at none before.
struct Failing {
    kept: InMemory,
    frames_left: u32,
    failed: Option<Fate>,
}

impl Journal for Failing {
    fn submit(&mut self, frame: Frame) {
        if self.frames_left == 0 {
            self.failed = Some(Fate::Unknown { why: "the disk said I/O error".into() });
            return (self.kept.wake)();
        }
        self.frames_left -= 1;
        self.kept.submit(frame);
    }

    fn poll(&mut self) -> Option<Fate> {
        self.failed.take().or_else(|| self.kept.poll())
    }
}

impl Keeper for Failing {
    fn space(&self) -> Space {
        Space::Enough
    }

    fn stop(self: Box<Self>) -> Result<(), journal::Fault> {
        Ok(())
    }
}

#[tokio::test]
async fn after_a_failed_append_commands_are_refused_and_queries_answered() {
    let keeper = |journal, wake| -> Box<dyn Keeper> {
        Box::new(Failing { kept: InMemory { journal, wake }, frames_left: 4, failed: None })
    };
    let service = Service::kept_by(options(Path::new("nowhere")), keeper, |reader| reader).unwrap();
    let received = open_a_shop(&service).await;
    assert_eq!(service.trouble(), None);
    let lost = service.submit(define("LOST")).await;
    assert_eq!((lost.status(), lost.code()), ("unknown", Some("outcome_unknown")));
    let refused = service.submit(define("LATE")).await;
    assert_eq!((refused.status(), refused.code()), ("unavailable", Some("writer_stopped")));
    assert!(refused.message().unwrap().contains("I/O error"));
    assert!(service.stopped().await.contains("I/O error"));
    assert!(service.trouble().is_some(), "the service is not ready");
    assert_eq!(available(&service, &received["position"]).await, 8);
    let status = service
        .query("command_status", serde_json::from_value(json!({"filter": {"id": "define LOST"}})).unwrap());
    assert_eq!(status.await.unwrap().rows, Vec::<Value>::new(), "what is not durable is not shown");
    let (status, problem) = ready(service.clone()).await;
    assert_eq!(status, 503);
    assert!(problem.contains("not_ready") && problem.contains("I/O error"), "{problem}");
    service.stop().unwrap();
}

/// A disk that never answers, until it is told to.
struct Silent {
    kept: InMemory,
    answers: Arc<AtomicBool>,
}

impl Journal for Silent {
    fn submit(&mut self, frame: Frame) {
        self.kept.submit(frame);
    }

    fn poll(&mut self) -> Option<Fate> {
        if self.answers.load(Ordering::Relaxed) { self.kept.poll() } else { None }
    }
}

impl Keeper for Silent {
    fn space(&self) -> Space {
        Space::Enough
    }

    fn stop(self: Box<Self>) -> Result<(), journal::Fault> {
        Ok(())
    }
}

#[tokio::test]
async fn a_writer_that_waits_for_its_disk_is_told_of_and_forgiven_when_it_goes_on() {
    let answers = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&answers);
    let keeper = move |journal, wake| -> Box<dyn Keeper> {
        Box::new(Silent { kept: InMemory { journal, wake }, answers: told })
    };
    let mut options = options(Path::new("nowhere"));
    options.stuck_after = Duration::from_millis(1_100);
    let service = Service::kept_by(options, keeper, |reader| reader).unwrap();
    open_a_shop(&service).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(service.writer_stands_still(), Duration::ZERO, "nobody waits");

    answers.store(false, Ordering::Relaxed);
    let waiting = tokio::spawn({
        let service = service.clone();
        async move { service.submit(define("WAITS")).await }
    });
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert!(service.trouble().unwrap().contains("stood still for 1 s"), "{:?}", service.trouble());
    let metrics = crate::metrics::exposition(std::iter::once(&service));
    assert!(metrics.contains("bincard_writer_stuck_seconds{ledger=\"main\"} 1\n"), "{metrics}");
    assert!(metrics.contains("bincard_ready{ledger=\"main\"} 0\n"));
    assert_eq!(ready(service.clone()).await.0, 503);

    answers.store(true, Ordering::Relaxed);
    assert_eq!(waiting.await.unwrap().status(), "accepted");
    let began = Instant::now();
    while service.trouble().is_some() {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", service.trouble());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let metrics = crate::metrics::exposition(std::iter::once(&service));
    let waits = metrics.lines().find(|line| line.starts_with("bincard_queue_wait_seconds_count")).unwrap();
    let count: u64 = waits.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((2..=6).contains(&count), "the first of those taken together is counted: {waits}");
    service.stop().unwrap();
}

/// Asks over HTTP whether the ledger is ready.
pub(super) async fn ready(service: Service) -> (u16, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(crate::http::serve(listener, service.into(), std::future::pending()));
    socket.write_all(b"GET /health/ready HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}
