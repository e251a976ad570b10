//! From the instant of a communication to what became of each recipient.

mod claim;
pub(crate) mod emit;
mod report;
mod resolved;

use std::sync::Arc;

use kernel::Wake;
use tokio::sync::Notify;

pub use claim::ClaimDue;
pub use report::{NewReport, TakeReports};
pub use resolved::DispatchResolved;

/// Wakes who waits for instants, and who takes events to the bus.
#[derive(Clone, Default)]
pub struct Signals {
    planned: Arc<Notify>,
    wake: Wake,
}

impl Signals {
    /// Something waits for an instant, which may be the next.
    pub fn planned(&self) {
        self.planned.notify_one();
        self.wake.outbox();
    }

    /// Events wait to be taken to the bus.
    pub fn left(&self) {
        self.wake.outbox();
    }

    /// Waits until something was planned.
    pub async fn on_planned(&self) {
        self.planned.notified().await;
    }

    /// Signals of the process.
    pub const fn wake(&self) -> &Wake {
        &self.wake
    }
}
