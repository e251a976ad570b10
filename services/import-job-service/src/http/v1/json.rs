//! Runs as V1 writes them: an operation, with whose it is.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    importing::{Counts, ImportReport},
    operation::{Operation, OperationState, Progress, Report},
    shared::Instant,
};
use ports::importing::Run;
use serde::Serialize;
use utoipa::ToSchema;

use super::{clients::path_of as client_path, timestamp};
use crate::application::client_id;

/// A run of an import.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunJson {
    /// `op_` and a decimal.
    #[schema(example = "op_104629547441512448")]
    pub id: String,
    /// `import`.
    pub kind: &'static str,
    /// What is imported: `tickets`, with their messages, or `contacts`, with their tags.
    pub import: &'static str,
    /// The client.
    pub client_id: String,
    /// Its name in URLs.
    pub client_slug: String,
    /// `queued`, `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: &'static str,
    /// `complete`, or `partial` where rows were left out or the list never held still.
    pub result: Option<&'static str>,
    /// Why it waits: `quota`.
    pub reason: Option<String>,
    /// How far it is.
    pub progress: ProgressJson,
    /// Steps per second since it started, while it runs.
    pub rate: Option<f64>,
    /// When it is likely to end, while it runs.
    pub eta: Option<String>,
    /// Accounts for every row that came.
    pub report: Option<ReportJson>,
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
    /// Never: imports are not undone.
    pub undone_at: Option<String>,
    /// Never: imports are not undone.
    pub undo_until: Option<String>,
    /// None: imports are into no audience.
    pub audience_id: Option<String>,
    /// Where it is, and what can be done with it now: `self`, `client`, `cancel`, `retry`.
    pub links: BTreeMap<&'static str, String>,
}

/// How far a run is: tickets of the list and tickets whose messages were read, or contacts.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RunProgressJson)]
pub struct ProgressJson {
    /// So many are done.
    pub done: i64,
    /// Of so many; null while that is not known.
    pub total: Option<i64>,
}

/// Why a run failed or was cancelled.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RunFailureJson)]
pub struct FailureJson {
    /// Stable code in snake_case.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

/// Rows by what became of them: `received = created + updated + unchanged + quarantined`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CountsJson {
    /// Rows delivered, each time that they were.
    pub received: u64,
    /// Rows that were not there before.
    pub created: u64,
    /// Rows that replaced another version.
    pub updated: u64,
    /// Rows that were there like this already.
    pub unchanged: u64,
    /// Rows that cannot be read; kept as they came.
    pub quarantined: u64,
}

/// What a run did, in total and by kind of row.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportJson {
    /// Rows of all kinds.
    #[serde(flatten)]
    pub total: CountsJson,
    /// Tickets that the filter took.
    pub tickets: CountsJson,
    /// Sessions of these tickets.
    pub sessions: CountsJson,
    /// Messages.
    pub messages: CountsJson,
    /// Contacts.
    pub contacts: CountsJson,
    /// Tags of contacts.
    pub tags: CountsJson,
    /// Tickets that appeared or changed with an instant before the cursor.
    pub late: u64,
    /// Pages read.
    pub pages: u64,
}

impl From<Counts> for CountsJson {
    fn from(counts: Counts) -> Self {
        Self {
            received: counts.received,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            quarantined: counts.quarantined,
        }
    }
}

impl From<&ImportReport> for ReportJson {
    fn from(report: &ImportReport) -> Self {
        Self {
            total: report.total().into(),
            tickets: report.tickets.into(),
            sessions: report.sessions.into(),
            messages: report.messages.into(),
            contacts: report.contacts.into(),
            tags: report.tags.into(),
            late: report.late,
            pages: report.pages,
        }
    }
}

impl RunJson {
    /// A run as it is now.
    pub fn new(run: Run, now: Instant) -> Self {
        let operation = run.operation;
        let (rate, eta) = pace(&operation, now);
        let report = match &operation.report {
            Some(Report::Import(report)) => Some(report.into()),
            _ => None,
        };
        Self {
            id: operation.id.to_string(),
            kind: operation.kind.as_str(),
            import: run.kind.as_str(),
            client_id: client_id(run.client),
            client_slug: run.slug.to_string(),
            state: operation.state.as_str(),
            result: operation.result.map(|result| result.as_str()),
            progress: ProgressJson {
                done: operation.progress.done,
                total: operation.progress.total,
            },
            rate,
            eta: eta.map(timestamp),
            report,
            attempt: operation.attempt,
            created_by: operation.created_by.to_string(),
            created_at: timestamp(operation.created_at),
            started_at: operation.started_at.map(timestamp),
            finished_at: operation.finished_at.map(timestamp),
            undone_at: None,
            undo_until: None,
            audience_id: None,
            links: links(&operation, client_path(run.client)),
            reason: operation.reason,
            error: operation.error.map(|failure| FailureJson {
                code: failure.code,
                detail: failure.detail,
            }),
        }
    }
}

/// Path of a run.
pub fn path_of(operation: &Operation) -> String {
    format!("/api/v1/imports/{}", operation.id)
}

fn links(operation: &Operation, client: String) -> BTreeMap<&'static str, String> {
    use OperationState::{Cancelled, Failed};
    let own = path_of(operation);
    let mut links = BTreeMap::from([("client", client)]);
    if !operation.state.is_terminal() {
        links.insert("cancel", format!("{own}/cancel"));
    }
    if matches!(operation.state, Failed | Cancelled) {
        links.insert("retry", format!("{own}/retry"));
    }
    links.insert("self", own);
    links
}

/// Rate and likely end of a running operation.
fn pace(operation: &Operation, now: Instant) -> (Option<f64>, Option<Instant>) {
    let live = !operation.state.is_terminal();
    let Some(started) = operation.started_at.filter(|_| live) else {
        return (None, None);
    };
    let elapsed = (now - started).num_milliseconds();
    let Progress { done, total } = operation.progress;
    if elapsed <= 0 || done <= 0 {
        return (None, None);
    }
    let tenths = done.saturating_mul(10_000) / elapsed;
    let rate = i32::try_from(tenths).ok().map(|t| f64::from(t) / 10.0);
    let eta = total.and_then(|total| {
        let left = (total - done).max(0).checked_mul(elapsed)? / done;
        now.checked_add_signed(TimeDelta::try_milliseconds(left)?)
    });
    (rate, eta)
}
