//! From where a recycling goes on.

use domain::operation::{Progress, Report};
use kernel::payload;
use serde::{Deserialize, Serialize};

use super::survey::Tally;
use crate::application::{AppResult, operations::Job};

/// Where a recycling stands.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct RecycleCheckpoint {
    /// The last document judged.
    pub after: Option<String>,
    /// Whether every contact is judged.
    pub surveyed: bool,
    /// What was found so far.
    pub tally: Tally,
    /// The content that the removal is in.
    #[serde(default)]
    pub epoch: i64,
    /// Number of the removal it belongs to: one that was withdrawn begins anew under another.
    #[serde(default)]
    pub removal: i64,
    /// The runs that marked contacts: number, and the document each began after.
    #[serde(default)]
    pub runs: Vec<(i64, Option<String>)>,
    /// Row number of the next contact copied to a new audience.
    #[serde(default)]
    pub copied: i64,
}

/// Stores a checkpoint of this operation.
pub(super) async fn save(job: &mut Job, at: &RecycleCheckpoint) -> AppResult<()> {
    let total = job
        .operation
        .progress
        .total
        .map(|total| total.max(at.tally.total));
    let progress = Progress {
        done: at.tally.total,
        total,
    };
    let report = Some(Report::Removal(at.tally.report()));
    let checkpoint = payload::encode(at)?;
    job.checkpoint(progress, report, checkpoint).await
}
