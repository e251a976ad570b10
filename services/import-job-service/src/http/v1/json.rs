//! Runs as V1 writes them: an operation, with whose it is.

use std::collections::BTreeMap;

use domain::{
    importing::{Counts, ImportReport},
    operation::{Operation, Report},
};
use http_kit::operations::{FailureJson, OperationJson, ProgressJson};
use ports::{StoreError, importing::Run};
use serde::Serialize;
use utoipa::ToSchema;

use crate::run::RunControl;

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
    /// Why it waits: `quota`, `disk_full` or `store_unavailable`.
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
    ///
    /// # Errors
    /// `Corrupt` when what is stored of it cannot be read.
    pub fn new(control: &RunControl, run: Run) -> Result<Self, StoreError> {
        let report = report(&run.operation);
        let json = OperationJson::new(control, run.operation)?;
        let mut links = json.links;
        links.remove("events");
        for path in links.values_mut() {
            *path = path.replacen("/operations/", "/imports/", 1);
        }
        Ok(Self {
            id: json.id,
            kind: json.kind,
            import: run.kind.as_str(),
            client_id: run.client.to_string(),
            client_slug: run.slug.to_string(),
            state: json.state,
            result: json.result,
            reason: json.reason,
            progress: json.progress,
            rate: json.rate,
            eta: json.eta,
            report,
            error: json.error,
            attempt: json.attempt,
            created_by: json.created_by,
            created_at: json.created_at,
            started_at: json.started_at,
            finished_at: json.finished_at,
            undone_at: None,
            undo_until: None,
            audience_id: None,
            links,
        })
    }
}

/// What a run did.
pub fn report(operation: &Operation) -> Option<ReportJson> {
    match &operation.report {
        Some(Report::Import(report)) => Some(report.into()),
        _ => None,
    }
}
