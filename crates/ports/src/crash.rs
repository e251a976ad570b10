//! Crash points: named places where a test may end the process, to prove that nothing is lost there.
//!
//! A point costs one relaxed atomic load unless a test installed a hook.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// Called with the name of each point that is reached.
pub type Hook = Box<dyn Fn(&'static str) + Send + Sync>;

static ARMED: AtomicBool = AtomicBool::new(false);
static HOOK: OnceLock<Hook> = OnceLock::new();

/// Every registered point, so that a runner can enumerate them.
pub const POINTS: &[&str] = &[
    "create.begun",
    "create.before_flip",
    "create.flipped",
    "write.intent_committed",
    "write.contacts_stored",
    "write.closed",
    "changes.contacts_stored",
    "changes.tombstones_written",
    "live.advanced",
    "live.applied",
    "remove.tombstones_written",
    "remove.closed",
    "request.before_answer",
    "upload.spooled",
    "upload.batch_stored",
    "upload.before_finish",
    "upload.finished",
    "recycle.started",
    "recycle.batch_marked",
    "recycle.checkpointed",
    "recycle.before_flip",
    "recycle.flipped",
    "copy.batch_stored",
    "derive.batch_stored",
    "derive.before_flip",
    "derive.flipped",
    "clear.before_flip",
    "clear.flipped",
    "undo.before_flip",
    "undo.flipped",
    "refresh.batch_stored",
    "refresh.before_flip",
    "refresh.flipped",
    "purge.batch",
    "relay.delivered",
    "relay.marked",
    "consume.stored",
    "notify.stored",
    "import.page_fetched",
    "import.page_stored",
    "import.page_committed",
    "import.before_finish",
    "import.finished",
    "communication.claiming",
    "communication.claimed",
    "recipients.resolving",
    "recipients.resolved",
    "communication.dispatching",
    "communication.dispatched",
    "communication.releasing",
    "communication.released",
    "dispatch.begun",
    "dispatch.sent",
];

/// Installs the hook of this process, once. Later calls change nothing.
pub fn install(hook: Hook) {
    if HOOK.set(hook).is_ok() {
        ARMED.store(true, Ordering::Release);
    }
}

/// Marks a crash point. `name` must be one of [`POINTS`].
#[inline]
pub fn point(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) {
        debug_assert!(
            POINTS.contains(&name),
            "crash point {name} is not registered"
        );
        if let Some(hook) = HOOK.get() {
            hook(name);
        }
    }
}
