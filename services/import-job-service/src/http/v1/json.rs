//! Runs as V1 writes them: an operation, with whose it is.

use api_types::imports::{CountsJson, ReportJson, RunJson};
use domain::{
    importing::{Counts, ImportReport},
    operation::{Operation, Report},
};
use http_kit::operations::operation_json;
use ports::{StoreError, importing::Run};

use crate::run::RunControl;

const fn counts_json(counts: Counts) -> CountsJson {
    CountsJson {
        received: counts.received,
        created: counts.created,
        updated: counts.updated,
        unchanged: counts.unchanged,
        quarantined: counts.quarantined,
    }
}

fn report_json(report: &ImportReport) -> ReportJson {
    ReportJson {
        total: counts_json(report.total()),
        tickets: counts_json(report.tickets),
        sessions: counts_json(report.sessions),
        messages: counts_json(report.messages),
        contacts: counts_json(report.contacts),
        tags: counts_json(report.tags),
        late: report.late,
        pages: report.pages,
    }
}

/// A run as it is now.
///
/// # Errors
/// `Corrupt` when what is stored of it cannot be read.
pub fn run_json(control: &RunControl, run: Run) -> Result<RunJson, StoreError> {
    let report = report(&run.operation);
    let json = operation_json(control, run.operation)?;
    let mut links = json.links;
    links.remove("events");
    for path in links.values_mut() {
        *path = path.replacen("/operations/", "/imports/", 1);
    }
    Ok(RunJson {
        id: json.id,
        kind: json.kind,
        import: run.kind.as_str().into(),
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

/// What a run did.
pub fn report(operation: &Operation) -> Option<ReportJson> {
    match &operation.report {
        Some(Report::Import(report)) => Some(report_json(report)),
        _ => None,
    }
}
