//! From where a recycling goes on.

use domain::operation::{Progress, Report};
use operations::{Job, Run};
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::application::AppResult;

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
pub(super) async fn save<J>(run: &mut Run, at: &RecycleCheckpoint) -> AppResult<()>
where
    J: Job<Checkpoint = RecycleCheckpoint>,
{
    let known = run.operation.progress.total;
    let progress = Progress {
        done: at.tally.total,
        total: known.map(|total| total.max(at.tally.total)),
    };
    let report = Some(Report::Removal(at.tally.report()));
    J::save(run, progress, report, at).await
}
