//! Signals inside one process: a commit here wakes who waits there. Losing one costs at most a poll.

use std::sync::Arc;

use tokio::sync::Notify;

/// Signals inside one process.
#[derive(Clone, Default)]
pub struct Wake {
    work: Arc<Notify>,
    outbox: Arc<Notify>,
    control: Arc<Notify>,
}

impl Wake {
    /// There is a run to claim.
    pub fn work(&self) {
        self.work.notify_waiters();
        self.work.notify_one();
    }

    /// What workers wait on.
    pub fn on_work(&self) -> Arc<Notify> {
        Arc::clone(&self.work)
    }

    /// There is an event to relay.
    pub fn outbox(&self) {
        self.outbox.notify_one();
    }

    /// What the relay waits on.
    pub fn on_outbox(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    /// A run was asked to stop, or ended.
    pub fn control(&self) {
        self.control.notify_waiters();
    }

    /// What runs, and who waits for their end, listen to.
    pub fn on_control(&self) -> Arc<Notify> {
        Arc::clone(&self.control)
    }
}
