//! Batches: what one request for several clients started.

mod purge;
mod read;
mod start;

pub use purge::PurgeBatches;
pub use read::{BatchState, ReadBatch};
pub use start::StartBatch;
