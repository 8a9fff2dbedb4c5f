//! Sealed segments that are read again while the service runs.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{define, options, send};
use crate::metrics::exposition;
use crate::service::Service;

pub(super) async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One bit of the first frame, the other way round.
fn turn_a_bit_over(segment: &Path) {
    let mut bytes = std::fs::read(segment).unwrap();
    bytes[200] ^= 1;
    std::fs::write(segment, bytes).unwrap();
}

#[tokio::test]
async fn a_bit_that_turned_over_in_a_sealed_segment_is_told_until_it_is_mended() {
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path());
    (options.segment_bytes, options.scrub_round) = (1024, Duration::from_millis(10));
    let service = Service::start(options).unwrap();
    for number in 0..20 {
        assert_eq!(send(&service, define(&format!("S{number}"))).await["status"], "accepted");
    }
    let metric = |name: &str| {
        let page = exposition(std::iter::once(&service));
        let line = page.lines().find(|line| line.starts_with(&format!("{name}{{"))).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    wait_until("the sealed segments are read", || metric("bincard_scrubbed_sequence") > 15).await;
    assert_eq!((service.trouble(), metric("bincard_journal_damaged")), (None, 0));

    let first = data.path().join("main/journal/00000000000000000001.seg");
    turn_a_bit_over(&first);
    wait_until("the damage is told", || service.trouble().is_some()).await;
    let trouble = service.trouble().unwrap();
    assert!(
        trouble.contains("the journal is damaged") && trouble.contains("00000000000000000001.seg"),
        "{trouble}"
    );
    assert_eq!((metric("bincard_journal_damaged"), metric("bincard_ready")), (1, 0));
    wait_until("the segments behind it are read too", || metric("bincard_scrubbed_sequence") > 15).await;
    assert_eq!(send(&service, define("MORE")).await["status"], "accepted", "the writer goes on");

    turn_a_bit_over(&first);
    wait_until("it is mended", || service.trouble().is_none()).await;
    service.stop().unwrap();
}
