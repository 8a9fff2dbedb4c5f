//! A thread that waits for the disk and then has next to nothing to do: when it wakes it is to run at once.
//!
//! With every core busy, a thread that has slept waits for its turn, some milliseconds, while the disk has long been
//! done. Where the system allows it (CAP_SYS_NICE, or an `rtprio` limit), the journal's thread is scheduled first in,
//! first out before all usual ones: it writes what it is given, and sleeps again. Elsewhere it goes on as usual.

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

/// Asks for it, for the thread that calls; or tells why it has to go on as usual.
pub(super) fn ask() -> Result<(), String> {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy)
        .map_err(|fault| fault.to_string())
}
