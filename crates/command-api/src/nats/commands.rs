//! The endpoints for commands: they are there while this instance owns its ledger.
//!
//! Each epoch has a queue group of its own. A writer that is paused keeps its subscriptions: in one group with its
//! successor it would be handed half of the commands, and answer none. So both get every command, and the one that was
//! replaced can only refuse: its successor subscribes when its epoch stands in the journal.

use async_nats::Client;
use async_nats::service::Group;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::Fault;
use super::endpoints::{Asked, asked_of, serve};
use crate::service::{Ownership, Service};

/// Subscribes when the ledger is taken, and lets go when it is lost.
pub(super) struct CommandEndpoints {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// The subscriptions of one ownership.
struct Subscribed {
    end: watch::Sender<bool>,
    serving: JoinSet<()>,
}

impl CommandEndpoints {
    /// On return an owner's commands are subscribed to.
    pub(super) async fn start(client: Client, group: Group, ledger: Service) -> Result<Self, Fault> {
        let (stop, stopping) = watch::channel(false);
        let mut ownership = ledger.ownership();
        let first = match *ownership.borrow_and_update() {
            Ownership::Owner { epoch } => Some(subscribe(&group, &ledger, epoch).await?),
            Ownership::Follower | Ownership::Stopped => None,
        };
        let keeping = Keeping { client, group, ledger, ownership };
        let task = tokio::spawn(keeping.run(first, stopping));
        Ok(Self { stop, task })
    }

    /// Takes no more commands, and answers those it has.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(fault) = self.task.await {
            tracing::error!(%fault, "the endpoints for commands did not end well");
        }
    }
}

struct Keeping {
    client: Client,
    group: Group,
    ledger: Service,
    ownership: watch::Receiver<Ownership>,
}

impl Keeping {
    async fn run(mut self, first: Option<Subscribed>, mut stopping: watch::Receiver<bool>) {
        let mut subscribed = first;
        // What was taken before the ledger was lost is still answered.
        let mut ending = JoinSet::new();
        loop {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                changed = self.ownership.changed() => if changed.is_err() { break },
            }
            let now = *self.ownership.borrow_and_update();
            match now {
                Ownership::Owner { epoch } if subscribed.is_none() => {
                    match subscribe(&self.group, &self.ledger, epoch).await {
                        Ok(now) => subscribed = Some(now),
                        Err(fault) => tracing::error!(%fault, "commands cannot be subscribed to"),
                    }
                    // The server knows of it before anybody is told.
                    let _ = self.client.flush().await;
                }
                Ownership::Follower => {
                    if let Some(subscribed) = subscribed.take() {
                        ending.spawn(subscribed.end());
                    }
                }
                // Without another instance, who asks is told why there is no answer.
                Ownership::Owner { .. } | Ownership::Stopped => {}
            }
            while ending.try_join_next().is_some() {}
        }
        if let Some(subscribed) = subscribed {
            subscribed.end().await;
        }
        while ending.join_next().await.is_some() {}
    }
}

impl Subscribed {
    async fn end(mut self) {
        self.end.send_replace(true);
        while self.serving.join_next().await.is_some() {}
    }
}

async fn subscribe(group: &Group, ledger: &Service, epoch: u64) -> Result<Subscribed, Fault> {
    let (end, ended) = watch::channel(false);
    let mut serving = JoinSet::new();
    for (asked, subject, metadata) in asked_of() {
        if matches!(asked, Asked::View(_)) {
            continue;
        }
        let endpoint = group.endpoint_builder().name(subject.replace('.', "-")).metadata(metadata);
        let endpoint = endpoint.queue_group(format!("bincard-{epoch}"));
        let endpoint = endpoint.add(&subject).await.map_err(Fault::Client)?;
        let mut ended = ended.clone();
        let until = async move {
            // An error means that the sender is gone: that is an end too.
            let _ = ended.wait_for(|end| *end).await;
        };
        serving.spawn(serve(endpoint, asked, ledger.clone(), until));
    }
    Ok(Subscribed { end, serving })
}
