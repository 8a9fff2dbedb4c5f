//! Feed and inbox belong to the ledger's owner, whichever instance that is: the next one goes on where the last stopped.

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream;
use command_api::Service;
use command_api::durable_inbox::{DurableInbox, InboxOptions};
use command_api::feed::{Feed, FeedOptions};
use command_api::service::{Ownership, Replication, Role};
use journal::jetstream::Server as JournalServer;

use super::feed::{position, publishes_all, stock_of_feed};
use super::inbox::{emptied, on_hand, open_a_shop, put, receipt};
use super::{Server, connect, options, server, until};

const EACH: usize = 300;

/// An instance of the ledger in the stream, with all that acts for it while it owns it.
async fn instance(server: &Server, data: &Path) -> (Service, Feed, DurableInbox) {
    let mut options = options(data);
    let url = format!("nats://{}", server.url);
    let server_of_journal = JournalServer { url, options: ConnectOptions::new() };
    options.replication = Some(Replication { server: server_of_journal, replicas: 1, role: Role::All });
    let service = tokio::task::spawn_blocking(|| Service::start(options)).await.unwrap().unwrap();
    let feed = Feed::start(connect(server).await, service.clone(), FeedOptions::default());
    let inbox = DurableInbox::start(connect(server).await, service.clone(), InboxOptions::default());
    (service, feed, inbox)
}

async fn owned(service: &Service) {
    let ownership = service.ownership();
    until("it is owned", async || matches!(*ownership.borrow(), Ownership::Owner { .. })).await;
}

async fn stopped(service: &Service) {
    let service = service.clone();
    tokio::task::spawn_blocking(move || service.stop()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_owner_goes_on_with_feed_and_inbox_where_the_last_was_cut_off() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (first, ..) = instance(&server, folders[0].path()).await;
    owned(&first).await;
    open_a_shop(&first).await;
    until("there is an inbox", async || streams.get_stream("BINCARD_main_INBOX").await.is_ok()).await;
    let (second, feed, inbox) = instance(&server, folders[1].path()).await;
    for _ in 0..EACH {
        put(&streams, "stock.receive", None, &receipt()).await;
    }
    // Its tasks are still at work, and are ended with its ownership.
    stopped(&first).await;
    for _ in 0..EACH {
        put(&streams, "stock.receive", None, &receipt()).await;
    }
    owned(&second).await;
    emptied(&streams).await;
    assert_eq!(on_hand(&second).await, 2 * EACH as i64);
    publishes_all(&streams, &second).await;
    assert_eq!(stock_of_feed(&streams, &second).await, position(&second).await);
    assert_eq!(first.metrics().feed_event(), 0, "whoever is no owner does not speak for the feed");
    inbox.stop().await;
    feed.stop().await;
    stopped(&second).await;
}
