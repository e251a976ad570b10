//! From the instant of a communication to what became of each recipient.

mod claim;
pub(crate) mod decide;
pub(crate) mod emit;
mod engine;
mod letters;
mod release;
mod report;
mod resolved;

use kernel::Wake;

pub use claim::{ClaimDue, PART};
pub use engine::Engine;
pub use release::ReleaseWaiting;
pub use report::{NewReport, TakeReports};
pub use resolved::DispatchResolved;

/// Wakes who waits for instants, and who takes events to the bus; in other processes of the service too.
#[derive(Clone, Default)]
pub struct Signals(Wake);

impl Signals {
    /// Something waits for an instant, which may be the next.
    pub fn planned(&self) {
        self.0.work();
        self.0.outbox();
    }

    /// Events wait to be taken to the bus.
    pub fn left(&self) {
        self.0.outbox();
    }

    /// Waits until something was planned.
    pub async fn on_planned(&self) {
        self.0.on_work().notified().await;
    }

    /// Signals of the process.
    pub const fn wake(&self) -> &Wake {
        &self.0
    }
}
