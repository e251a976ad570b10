//! Long operations of this service: accepting, finding, ending, and what they give back.

mod accept;
mod end;
mod find;
mod purges;
mod release;
mod unfinished;

use chrono::TimeDelta;

pub use accept::{AcceptOperation, Accepted};
pub use end::EndOperation;
pub use find::{FindOperation, has_rejected};
pub use purges::PlanPurge;
pub(crate) use purges::PurgeParams;
pub use release::ReleaseHeld;
pub(crate) use unfinished::unfinished;

/// How long what an operation did can be undone.
pub(crate) const UNDO: TimeDelta = TimeDelta::days(7);
