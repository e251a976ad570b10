//! From where a recycling goes on.

use domain::{
    operation::{Progress, Report},
    recycle::Reasons,
};
use operations::{Job, Run};
use ports::contacts::Tombstone;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::AppResult;

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

impl RecycleCheckpoint {
    /// What the survey counted for a tombstone's contact, if it did. What a run marked after its last
    /// checkpoint is not counted: the next run began before it.
    pub fn counted(&self, stone: &Tombstone) -> Option<Reasons> {
        let next = self.runs.iter().find(|(number, _)| *number > stone.run);
        let reached = next.is_none_or(|(_, began)| {
            began
                .as_deref()
                .is_some_and(|began| stone.document.as_str() <= began)
        });
        (!stone.counted.is_empty() && reached).then_some(stone.counted)
    }

    /// The tombstone with what the survey counted for its contact.
    pub fn count(&self, stone: Tombstone, counted: Option<Reasons>) -> Tombstone {
        let Some(counted) = counted else { return stone };
        let run = self.runs.last().map_or(0, |(number, _)| *number);
        Tombstone {
            counted,
            run,
            ..stone
        }
    }
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
