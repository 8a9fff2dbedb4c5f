//! Who may act for the ledger: its owner alone appends, so what acts in its name runs only while it is the owner.

use std::future::pending;

use tokio::sync::watch;

use super::Service;

/// Whether this instance may act for its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// It appends to the journal, since it started this epoch.
    Owner {
        /// The number of the writer's start.
        epoch: u64,
    },
    /// Another instance does; this one reads along.
    Follower,
    /// It never will again: the writer stopped, or was asked to.
    Stopped,
}

impl Service {
    /// Whether this instance owns its ledger, and every change of that.
    pub fn ownership(&self) -> watch::Receiver<Ownership> {
        self.0.ownership.clone()
    }

    /// Runs a task whenever this instance owns its ledger: starts it with the epoch, drops it where it stands when the
    /// ownership ends, and returns when it can never come back. A task that ends by itself is not run again in its
    /// epoch.
    pub async fn while_owner<T: Future<Output = ()>>(&self, mut task: impl FnMut(u64) -> T) {
        let mut ownership = self.ownership();
        loop {
            let now = *ownership.borrow_and_update();
            let work = async {
                match now {
                    Ownership::Owner { epoch } => task(epoch).await,
                    Ownership::Follower => {}
                    Ownership::Stopped => return,
                }
                pending().await
            };
            tokio::select! {
                biased;
                changed = ownership.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = work => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use ledger_core::Settings;
    use ledger_core::values::{Name, Text};

    use super::super::Options;
    use super::*;

    fn service() -> Service {
        let settings = Settings::named(Name::try_new("main").unwrap());
        Service::in_memory(Options::new("unused", settings)).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_acts_for_the_ledger_runs_in_its_epoch_and_ends_with_the_writer() {
        let service = service();
        assert_eq!(*service.ownership().borrow(), Ownership::Owner { epoch: 1 });
        let seen = Arc::new(AtomicU64::new(0));
        let (owner, running) = (service.clone(), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let task = |epoch| {
                let running = Arc::clone(&running);
                async move {
                    running.store(epoch, Ordering::SeqCst);
                    pending().await
                }
            };
            owner.while_owner(task).await;
        });
        while seen.load(Ordering::SeqCst) != 1 {
            tokio::task::yield_now().await;
        }
        service.stop().unwrap();
        task.await.unwrap();
        assert_eq!(*service.ownership().borrow(), Ownership::Stopped);
    }
}
