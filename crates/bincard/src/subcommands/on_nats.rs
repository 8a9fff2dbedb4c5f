//! A served ledger on NATS: the door for requests, and with JetStream the public feed and the durable inbox.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use command_api::durable_inbox::{DurableInbox, InboxOptions};
use command_api::feed::{self, Feed, FeedOptions};
use command_api::{Service, nats};

use crate::cli::{Failure, ServeArgs};

/// A server that stands still keeps its connections: only a ping that it does not answer tells, and then another server
/// is tried. The client's own interval is a minute.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// A connection, before the ledger is opened.
pub(super) struct OnNats {
    url: String,
    client: Client,
    has_jetstream: bool,
    /// The last event of the feed: the journal must have it.
    pub(super) feed_seen: Option<feed::Seen>,
}

/// Everything of a ledger that is on NATS.
pub(super) struct Doors {
    requests: nats::Door,
    feed: Option<Feed>,
    inbox: Option<DurableInbox>,
}

impl OnNats {
    pub(super) async fn connect(url: &str, ledger: &str, args: &ServeArgs) -> Result<Self, Failure> {
        let access = args.nats_access.access();
        let settings = |options: ConnectOptions| options.name("bincard").ping_interval(PING_INTERVAL);
        let connected = access.connect(url, settings).await;
        let url = &nats::without_secrets(url);
        let client = connected.map_err(|fault| refused(url, &fault))?;
        let has_jetstream = match nats::jetstream_is_there(&client).await {
            Ok(()) => true,
            Err(why) => {
                if !(args.no_feed && args.no_inbox) {
                    tracing::error!(
                        %url, %why,
                        "NO PUBLIC FEED AND NO DURABLE INBOX: the NATS server answers without JetStream; start it with \
                         --jetstream, then restart this, or say --no-feed --no-inbox"
                    );
                }
                false
            }
        };
        let feed_seen = match has_jetstream && !args.no_feed {
            true => feed::last_seen(&client, ledger).await.map_err(|fault| refused(url, &fault))?,
            false => None,
        };
        Ok(OnNats { url: url.to_owned(), client, has_jetstream, feed_seen })
    }

    pub(super) async fn serve(self, service: &Service, args: &ServeArgs) -> Result<Doors, Failure> {
        let OnNats { url, client, has_jetstream, .. } = self;
        let requests = nats::serve(client.clone(), service.clone()).await;
        let requests = requests.map_err(|fault| refused(&url, &fault))?;
        let replicas = usize::from(args.replicas);
        let feed = (has_jetstream && !args.no_feed)
            .then(|| Feed::start(client.clone(), service.clone(), FeedOptions { replicas }));
        let inbox = (has_jetstream && !args.no_inbox)
            .then(|| DurableInbox::start(client, service.clone(), InboxOptions { replicas }));
        Ok(Doors { requests, feed, inbox })
    }
}

impl Doors {
    /// Takes no more of the inbox and no more requests; the feed goes last, with what it has published.
    pub(super) async fn stop(self) -> Result<(), nats::Fault> {
        if let Some(inbox) = self.inbox {
            inbox.stop().await;
        }
        let stopped = self.requests.stop().await;
        if let Some(feed) = self.feed {
            feed.stop().await;
        }
        stopped
    }
}

fn refused(url: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("--nats {url}: {why}"))
}
