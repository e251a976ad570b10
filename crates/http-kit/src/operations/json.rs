//! Operations as V1 writes them.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    operation::{Operation, OperationState, Progress},
    shared::{Instant, OperationId},
};
use operations::Abilities;
use ports::StoreError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Details, OperationService};
use crate::{Problem, timestamp};

/// A long operation.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OperationJson {
    /// `op_` and a decimal.
    #[schema(example = "op_104629547441512448")]
    pub id: String,
    /// `upload`, `create`, `recycle`, `clear`, `duplicate` or `import`.
    pub kind: &'static str,
    /// `queued`, `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: &'static str,
    /// `complete` or `partial`, once succeeded.
    pub result: Option<&'static str>,
    /// Why it waits: `disk_full` (of a store, or of the files; it goes on when there is room),
    /// `store_unavailable` (it goes on when the store is back, or fails after ten minutes) or `quota` (of the
    /// CRM that an import asks).
    pub reason: Option<String>,
    /// How far it is.
    pub progress: ProgressJson,
    /// Rows or contacts per second since it started, while it runs.
    pub rate: Option<f64>,
    /// When it is likely to end, while it runs.
    pub eta: Option<String>,
    /// Accounts for every row or contact; its members depend on the kind.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
    /// Why it failed or was cancelled.
    pub error: Option<FailureJson>,
    /// 1, and one more with every retry.
    pub attempt: i32,
    /// Who asked for it.
    pub created_by: String,
    /// When it was accepted.
    pub created_at: String,
    /// When a worker first took it.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// When it was undone.
    pub undone_at: Option<String>,
    /// Until when it can be undone.
    pub undo_until: Option<String>,
    /// The audience it works on, or makes.
    pub audience_id: Option<String>,
    /// The audience that a recycling copies into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_audience_id: Option<String>,
    /// Where it is, and what can be done with it now: `self`, `events`, `cancel`, `retry`, `undo`,
    /// `rejected`, `audience`, `client`.
    pub links: BTreeMap<&'static str, String>,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProgressJson {
    /// Rows or contacts done.
    pub done: i64,
    /// Of so many; null while that is not known.
    pub total: Option<i64>,
}

/// Why an operation failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailureJson {
    /// Stable code in snake_case.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

impl OperationJson {
    /// The operation as it is now.
    ///
    /// # Errors
    /// `Corrupt` when what is stored of it cannot be read.
    pub fn new(service: &dyn OperationService, operation: Operation) -> Result<Self, StoreError> {
        let details = service.details(&operation)?;
        let now = service.frame().now();
        let pace = Pace::of(&operation, now);
        let links = links(&operation, &details, now);
        Ok(Self {
            id: operation.id.to_string(),
            kind: operation.kind.as_str(),
            state: operation.state.as_str(),
            result: operation.result.map(|r| r.as_str()),
            progress: operation.progress.into(),
            rate: pace.rate,
            eta: pace.eta.map(timestamp),
            report: details.report,
            attempt: operation.attempt,
            created_by: operation.created_by.to_string(),
            created_at: timestamp(operation.created_at),
            started_at: operation.started_at.map(timestamp),
            finished_at: operation.finished_at.map(timestamp),
            undone_at: operation.undone_at.map(timestamp),
            undo_until: operation.undo_until.map(timestamp),
            audience_id: operation.audience.map(|a| a.to_string()),
            target_audience_id: details.target.map(|a| a.to_string()),
            links,
            reason: operation.reason,
            error: operation.error.map(|failure| FailureJson {
                code: failure.code,
                detail: failure.detail,
            }),
        })
    }
}

impl From<Progress> for ProgressJson {
    fn from(Progress { done, total }: Progress) -> Self {
        Self { done, total }
    }
}

/// How fast a running operation is.
#[derive(Debug, Default, PartialEq)]
struct Pace {
    rate: Option<f64>,
    eta: Option<Instant>,
}

impl Pace {
    fn of(operation: &Operation, now: Instant) -> Self {
        let started = operation
            .started_at
            .filter(|_| operation.state == OperationState::Running);
        let Some(started) = started else {
            return Self::default();
        };
        let elapsed = (now - started).num_milliseconds();
        if elapsed <= 0 {
            return Self::default();
        }
        let Progress { done, total } = operation.progress;
        let eta = total.filter(|_| done > 0).and_then(|total| {
            let left = i128::from((total - done).max(0));
            let millis = left * i128::from(elapsed) / i128::from(done);
            let left = TimeDelta::try_milliseconds(i64::try_from(millis).ok()?)?;
            now.checked_add_signed(left)
        });
        let tenths = i128::from(done) * 10_000 / i128::from(elapsed);
        let rate = i32::try_from(tenths).ok().map(|t| f64::from(t) / 10.0);
        Self { rate, eta }
    }
}

/// Path of an operation.
pub fn path_of(id: OperationId) -> String {
    format!("/api/v1/operations/{id}")
}

fn links(operation: &Operation, details: &Details, now: Instant) -> BTreeMap<&'static str, String> {
    let can = Abilities::of(operation, now);
    let own = path_of(operation.id);
    let mut links = details.links.clone();
    links.insert("events", format!("{own}/events"));
    links.insert("self", own.clone());
    let actions = [
        ("cancel", can.cancel),
        ("retry", can.retry),
        ("undo", can.undo),
        ("rejected", details.rejected),
    ];
    for (action, _) in actions.into_iter().filter(|(_, possible)| *possible) {
        links.insert(action, format!("{own}/{action}"));
    }
    if let Some(audience) = operation.audience {
        links.insert("audience", format!("/api/v1/audiences/{audience}"));
    }
    links
}

/// The id in a path: one that cannot be an id names nothing.
pub fn path_id(text: &str) -> Result<OperationId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
