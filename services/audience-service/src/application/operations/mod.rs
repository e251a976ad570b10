//! Long operations: reading, stopping, trying again, taking back, and the frame that workers run in.

mod control;
mod end;
mod purge;
mod read;
mod undo;
mod unfinished;
mod withhold;
mod worker;

pub(crate) use control::made_audience;
pub use operations::WorkOutcome;
pub(crate) use operations::{Ending, Job, Signals};
pub(crate) use purge::PurgeParams;
pub use read::has_rejected;
pub(crate) use unfinished::unfinished;
pub use worker::Pool;
