//! A running service whose disk takes its time: frames fill meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::{Frame, Journal, Outcome as Fate, Space};
use serde_json::{Value, json};

use super::{define, open_a_shop, options};
use crate::auth::Caller;
use crate::request::{Envelope, read_command};
use crate::service::Service;
use crate::service::keeper::{InMemory, Keeper};
use crate::service::writing::wall_clock;
use crate::writer::Request;

/// A disk that is done with a frame only while it works.
struct Slow {
    kept: InMemory,
    works: Arc<AtomicBool>,
}

impl Journal for Slow {
    fn submit(&mut self, frame: Frame) {
        self.kept.submit(frame);
    }

    fn poll(&mut self) -> Option<Fate> {
        if self.works.load(Ordering::Relaxed) { self.kept.poll() } else { None }
    }
}

impl Keeper for Slow {
    fn space(&self) -> Space {
        Space::Enough
    }

    fn stop(self: Box<Self>) -> Result<(), journal::Fault> {
        Ok(())
    }
}

fn receipt_of(moment: &str) -> Request {
    let envelope = Envelope::read(Caller::anonymous(), |header| match header {
        "Bincard-Command-Id" => vec![b"just now".as_slice()],
        "Bincard-Effective-At" => vec![moment.as_bytes()],
        _ => Vec::new(),
    });
    let body = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "2.50"});
    read_command("stock.receive", body.to_string().as_bytes(), &envelope.unwrap()).unwrap()
}

#[tokio::test]
async fn a_fact_of_just_now_is_taken_though_the_open_frame_is_older() {
    let works = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&works);
    let keeper = move |journal, wake| -> Box<dyn Keeper> {
        Box::new(Slow { kept: InMemory { journal, wake }, works: told })
    };
    let service = Service::kept_by(options(Path::new("nowhere")), keeper, |reader| reader).unwrap();
    open_a_shop(&service).await;
    works.store(false, Ordering::Relaxed);
    let mut offered = Vec::new();
    // One is in flight, one opens the next frame.
    for sku in ["A", "B"] {
        offered.push(service.offer(Ok(define(sku))));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    offered.push(service.offer(Ok(receipt_of(&wall_clock().to_string()))));
    offered.push(service.offer(Ok(define("C"))));
    tokio::time::sleep(Duration::from_millis(50)).await;
    works.store(true, Ordering::Relaxed);
    let mut sequences = Vec::new();
    for offered in offered {
        let reply: Value = serde_json::from_slice(&service.one_outcome(offered).await.to_json()).unwrap();
        assert_eq!(reply["status"], "accepted", "{reply}");
        sequences.push(reply["sequence"].as_u64());
    }
    assert!(sequences.is_sorted(), "what came behind it waits as well: {sequences:?}");
}
