//! Long operations: reading, stopping, trying again, taking back, and the frame that workers run in.

mod control;
mod end;
mod job;
mod purge;
mod read;
mod undo;
mod unfinished;
mod withhold;
mod worker;

pub(crate) use end::Ending;
pub use job::Job;
pub(crate) use job::Signals;
pub(crate) use purge::PurgeParams;
pub use read::{Abilities, OperationWithLinks};
pub(crate) use unfinished::unfinished;
pub use worker::{Pool, WorkOutcome};
