//! Replies that would not fit a message, by example.

use ledger_core::items::Retired;
use ledger_core::values::{Sku, Text};
use serde_json::Value;

use super::*;

#[test]
fn events_that_do_not_fit_a_reply_are_left_out_and_counted() {
    let event = Event::from(Retired { sku: Sku::try_new("x".repeat(64)).unwrap() });
    let accepted = |count: usize| {
        Reply::Accepted(Accepted {
            sequence: Some(7),
            position: Position { epoch: 1, sequence: 7 },
            events: vec![event.clone(); count],
            events_omitted: 0,
            duplicate: false,
            dry_run: false,
        })
    };
    let short: Value = serde_json::from_slice(&accepted(100).to_json()).unwrap();
    assert_eq!(short["events"].as_array().unwrap().len(), 100);
    assert_eq!(short.get("events_omitted"), None);
    let bytes = accepted(20_000).to_json();
    assert!(bytes.len() <= REPLY_BYTES_MAX);
    let cut: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&cut["status"], &cut["sequence"], &cut["events_omitted"]),
        (&"accepted".into(), &7.into(), &20_000.into())
    );
}

#[test]
fn the_longest_batch_has_a_reply_that_fits_whatever_became_of_its_commands() {
    let longest = Line {
        status: "unavailable",
        code: Some("a_code_that_is_longer_than_any_there_is"),
        message: Some("m".repeat(500)),
        path: Some("/9999/body/lines/999/quantity".into()),
        ..Line::accepted()
    };
    let accepted = Line { sequence: Some(u64::MAX), duplicate: true, ..Line::accepted() };
    for line in [longest, accepted] {
        let bytes = Outcome::Each(vec![line; crate::request::BATCH_COMMANDS_MAX]).to_json();
        assert!(bytes.len() <= REPLY_BYTES_MAX, "{}", bytes.len());
        let reply: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(reply["results"].as_array().unwrap().len(), crate::request::BATCH_COMMANDS_MAX);
    }
}
