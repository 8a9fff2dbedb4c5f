//! Who goes first when every core is busy: the writer, which everybody waits for, before the views, which can catch up.

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// A thread's place before or behind the others of the process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Precedence {
    /// One thread decides every command. Asks for what only a system that allows it gives (CAP_SYS_NICE, or a `nice`
    /// limit); elsewhere the writer goes on like the others.
    Writer,
    /// A view that is late says so by its position; a command that waits holds a person up.
    Views,
    /// Nobody waits for what is only read again.
    Scrub,
}

impl Precedence {
    /// Takes this place, for the thread that calls.
    pub(super) fn take(self) {
        let niceness = match self {
            Precedence::Writer => -10,
            Precedence::Views => 10,
            Precedence::Scrub => 19,
        };
        if let Err(fault) = setpriority_process(Some(gettid()), niceness) {
            tracing::debug!(?self, %fault, "the thread goes on at the usual priority");
        }
    }
}
