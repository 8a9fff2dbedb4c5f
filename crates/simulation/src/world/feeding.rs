//! The feed of a process on a disk: it publishes while it lives, and a start asks what was published.

use std::path::PathBuf;
use std::sync::Arc;

use journal::Fault;

use super::World;
use super::process::{DIR, Process};
use crate::Violation;
use crate::feed::FeedHappening;

/// The only one.
pub(super) const PUBLISHER: usize = 0;

impl World {
    /// What was published was durable: a journal that ends before has lost it, if somebody damaged it. True if it has all
    /// of it; else a backup is wanted, and the run is over.
    pub(super) fn check_feed(&mut self, event: u64) -> Result<bool, Violation> {
        let published = self.feed.as_ref().map_or(0, |feed| feed.last());
        if published <= event {
            return Ok(true);
        }
        let why = format!("the journal ends with event {event}, but event {published} was published");
        self.damage_is_found(&damaged(why))?;
        self.over = true;
        Ok(false)
    }

    pub(super) fn feed_starts(&mut self, process: &Process) {
        if let Some(feed) = &mut self.feed {
            let journal = Arc::new(process.journal.reader());
            feed.start((PUBLISHER, self.life), journal, self.now, &mut self.happenings);
        }
    }

    /// A feed that cannot read its journal stands still, and somebody looks at why.
    pub(super) fn feed_happens(&mut self, what: FeedHappening) -> Result<(), Violation> {
        let Some(feed) = &mut self.feed else { return Ok(()) };
        match feed.happens(what, self.now, &mut self.rng, &mut self.happenings) {
            Err(Violation(why)) if self.doubt.is_some() => self.damage_is_found(&damaged(why)),
            other => other,
        }
    }

    /// The feed is brought to its end, and held against the journal and the naive shop.
    pub(super) fn check_published(&mut self, process: &Process) -> Result<(), Violation> {
        let Some(feed) = &mut self.feed else { return Ok(()) };
        let journal = process.journal.reader();
        feed.publish_the_rest(Arc::new(process.journal.reader()))?;
        feed.check(&journal, self.auditor.shop(), &mut self.rng)
    }
}

fn damaged(why: String) -> Fault {
    Fault::Corrupt { path: PathBuf::from(DIR), offset: 0, why }
}
