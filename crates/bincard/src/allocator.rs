//! The allocator of the binary, and how it is set for work on a whole ledger.
//!
//! Answers are freed by another thread than the one that made them: mimalloc takes no lock for that. A ledger in memory is
//! gigabytes that are looked up at random, so it is to lie in huge pages where the system gives them to who asks
//! (`transparent_hugepage` at `madvise` or `always`), and memory that a frame gave back is to be there for the next one:
//! that is worth a third of the orders a second.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc's own settings, as its manual names them. The delay is in milliseconds.
const SETTINGS: [(&str, &str); 2] =
    [("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"), ("MIMALLOC_PURGE_DELAY", "10000")];

/// Becomes this program anew with the settings, for the allocator reads them before anything of ours runs. Returns if
/// they are there already, or whoever started the program made some of their own, or it cannot be done: then work is
/// slower and nothing else.
pub fn set_for_a_whole_ledger() {
    if SETTINGS.iter().any(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    arguments.next().map(|name| again.arg0(name));
    // It only returns with an error.
    let _ = again.args(arguments).envs(SETTINGS).exec();
}
