//! Recycling: taking people out of an audience by rules, in place or into a new audience.
//!
//! A survey walks the visible contacts in the order of their documents beside the sorted sets that
//! the rules name, so that it needs no more memory for five million contacts than for five thousand.

mod checkpoint;
mod copy;
mod duplicate;
mod fingerprint;
mod judge;
mod request;
mod run;
mod sets;
mod survey;
mod tally;
mod touched;
mod walk;

pub(crate) use copy::{CopyContacts, RunDuplicate};
pub use duplicate::DuplicateAudience;
pub use request::{DryRun, Plan, RecycleAnswer, RecycleAudience, RecycleRequest};
pub(crate) use run::RunRecycle;
pub use sets::{DocumentSets, SetSource};
pub use survey::Surveyor;
pub use walk::Walk;

use domain::{
    recycle::{Keep, Rules, Target},
    shared::{Instant, OperationId},
};
use ports::contacts::Order;
use serde::{Deserialize, Serialize};

use crate::upload::Exclusion;

/// What a recycling works from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RecycleParams {
    /// What is removed.
    pub rules: Rules,
    /// Who is protected.
    pub keep: Keep,
    /// Where the rest goes.
    pub target: Target,
    /// The instant that waits and periods are measured at.
    pub at: Instant,
    /// The first request that was accepted after it: rows of those before bring nobody back whom it removes.
    pub accepted_before: i64,
    /// The uploaded file whose documents are removed, and what was found in it.
    pub file: Option<(i64, Exclusion)>,
}

impl RecycleParams {
    /// The order of the tombstone for a contact of this order.
    pub fn tombstone_order(&self, contact: Order) -> Order {
        contact.max(Order::before(self.accepted_before))
    }

    pub fn exclusion(&self) -> Option<Exclusion> {
        self.file.as_ref().map(|(_, found)| found.clone())
    }
}

/// Name of a sorted set of documents of an operation.
pub(crate) fn set_name(operation: OperationId, which: &str) -> String {
    format!("recycle/{}.{which}", operation.raw())
}

/// The sets an operation may have.
pub(crate) const REMOVE: &str = "documents";
pub(crate) const KEEP: &str = "keep";
pub(crate) const DUPLICATES: &str = "duplicates";
