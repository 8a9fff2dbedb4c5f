//! Views that are behind the journal, or stand still.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use journal::{Fault, Frame, FrameSource, Head, JournalRead};
use projections::Query;
use serde_json::json;

use super::{define, options, send};
use crate::service::Service;
use crate::service::keeper::{InMemory, Keeper};

/// What the views' thread finds at the end of what it has read.
pub(super) const GOES_ON: u8 = 0;
pub(super) const NOTHING_NEW: u8 = 1;

/// A journal whose new frames come to the views when they are let.
struct HeldUp {
    journal: Arc<dyn JournalRead>,
    finds: Arc<AtomicU8>,
}

struct Source {
    frames: Box<dyn FrameSource>,
    finds: Arc<AtomicU8>,
}

impl JournalRead for HeldUp {
    fn head(&self) -> Head {
        self.journal.head()
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        self.journal.frame_at(sequence)
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        let (frames, finds) = (self.journal.frames_from(sequence)?, Arc::clone(&self.finds));
        Ok(Box::new(Source { frames, finds }))
    }
}

impl FrameSource for Source {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        match self.finds.load(Ordering::Relaxed) {
            GOES_ON => self.frames.next_frame(),
            _ => Ok(None),
        }
    }

    fn place(&self) -> (PathBuf, u64) {
        self.frames.place()
    }
}

/// A service, and what holds its views up.
pub(super) fn given_a_service() -> (Service, Arc<AtomicU8>) {
    let finds = Arc::new(AtomicU8::new(GOES_ON));
    let told = Arc::clone(&finds);
    let mut options = options(Path::new("nowhere"));
    options.min_position_wait = Duration::from_millis(700);
    let keeper = |journal, wake| -> Box<dyn Keeper> { Box::new(InMemory { journal, wake }) };
    let seen = |journal| -> Arc<dyn JournalRead> { Arc::new(HeldUp { journal, finds: told }) };
    (Service::kept_by(options, keeper, seen).unwrap(), finds)
}

#[tokio::test]
async fn an_accepted_command_is_never_unknown_while_the_views_are_behind() {
    let (service, finds) = given_a_service();
    finds.store(NOTHING_NEW, Ordering::Relaxed);
    let accepted = send(&service, define("A")).await;
    assert_eq!(accepted["status"], "accepted");
    let refused = service.command_status("define A").await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), ("unavailable", Some("position_not_reached")));
    let query = || serde_json::from_value::<Query>(json!({"filter": {"id": "define A"}})).unwrap();
    assert_eq!(service.query("command_status", query()).await.unwrap_err().code(), refused.code());

    finds.store(GOES_ON, Ordering::Relaxed);
    let reply = service.command_status("define A").await.unwrap().expect("it was accepted");
    assert_eq!(reply.status(), "accepted");
    assert_eq!(service.command_status("never sent").await, Ok(None));
    assert_eq!(
        service.query("command_status", query()).await.unwrap().rows[0]["sequence"],
        accepted["sequence"]
    );
}
