//! What the settings of a stream and the room on its server do to a journal, on a real server.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod server;

use async_nats::jetstream::stream::Config;
use journal::Fault;
use journal::Outcome;
use journal::jetstream::{StreamJournal, StreamOptions};
use server::{Nats, append};

/// A stream made by hand, with what a journal wants but for what `change` does to it.
fn make(nats: &Nats, change: impl FnOnce(&mut Config)) {
    let mut config = Config {
        name: "BINCARD_main_JOURNAL".into(),
        subjects: vec!["bincard.main.journal".into()],
        allow_direct: true,
        deny_delete: true,
        deny_purge: true,
        ..Default::default()
    };
    change(&mut config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(&nats.url).await.unwrap();
        async_nats::jetstream::new(client).create_stream(config).await.unwrap();
    });
}

#[test]
fn a_stream_that_could_forget_is_refused_in_words() {
    let Some(nats) = Nats::start() else { return };
    make(&nats, |config| config.deny_purge = false);
    let Err(fault) = StreamJournal::open(&nats.options()) else { panic!("it can be purged") };
    assert!(fault.to_string().contains("deny_purge"), "{fault}");
    let other = StreamOptions { ledger: "other".into(), create: None, ..nats.options() };
    assert!(matches!(StreamJournal::open(&other), Err(Fault::Missing { .. })));
}

#[test]
fn a_stream_whose_messages_are_too_short_for_a_frame_is_refused_in_words() {
    let Some(nats) = Nats::start() else { return };
    make(&nats, |config| config.max_message_size = 1000);
    let Err(fault) = StreamJournal::open(&nats.options()) else { panic!("a frame is longer") };
    assert!(fault.to_string().contains("1000 bytes (max_msg_size), wanted"), "{fault}");
}

#[test]
fn a_stream_with_fewer_copies_than_are_wanted_is_taken_and_told() {
    let Some(nats) = Nats::start() else { return };
    make(&nats, |_| {});
    let wanted = 3;
    let stream = StreamJournal::open(&StreamOptions { create: Some(wanted), ..nats.options() }).unwrap();
    assert_eq!(stream.copies(), 1);
    let warning = stream.copies_warning(wanted).unwrap();
    assert!(warning.contains("nats stream edit BINCARD_main_JOURNAL --replicas 3"), "{warning}");
    assert_eq!(stream.copies_warning(1), None);
    let lost = stream.sync_warning().unwrap();
    assert!(lost.contains(": without") && !lost.contains("most copies"), "there is one: {lost}");
}

/// Takes as long as the appender tries.
#[test]
fn a_server_without_room_says_so_in_the_reason_of_the_stop() {
    let Some(nats) = Nats::limited("max_file_store: 1MB") else { return };
    let stream = nats.open();
    let entry = vec![7; 300 * 1024];
    let mut outcome = append(&stream, 1, &entry).1;
    while matches!(outcome, Outcome::Durable { .. }) {
        outcome = append(&stream, 1, &entry).1;
    }
    let Outcome::Unknown { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("insufficient resources"), "{why}");
}
