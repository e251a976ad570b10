//! What an operation says that ends before its work is done: what is stored, and nothing else.

use domain::operation::{Operation, OperationKind, RemovalReport, Report, UploadReport};

use kernel::may_pass;

use super::{Job, worker::makes_audience};
use crate::application::{App, AppError, AppResult};

impl App {
    /// The report of a job that ends early. A write of it may have been done without being counted.
    pub(super) async fn unfinished_report(&self, job: &Job) -> AppResult<Option<Report>> {
        let operation = &job.operation;
        let counted = match operation.kind {
            OperationKind::Upload => match self.count_stored(job).await {
                // Somebody will look again.
                Err(AppError::Store(error)) if may_pass(&error) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%error, operation = %operation.id, "reported as of its checkpoint");
                    None
                }
                Ok(counted) => counted.map(Report::Upload),
            },
            _ => None,
        };
        Ok(unfinished(operation, counted))
    }
}

/// The report of an operation as it ends early, where `counted` is later than what it says itself.
pub(crate) fn unfinished(operation: &Operation, counted: Option<Report>) -> Option<Report> {
    Some(match counted.or_else(|| operation.report.clone())? {
        Report::Upload(report) if makes_audience(operation) => {
            // The audience does not show, whatever was written to it.
            let rejected = report.rejected;
            let received = rejected;
            Report::Upload(UploadReport {
                received,
                rejected,
                ..UploadReport::default()
            })
        }
        Report::Upload(report) => Report::Upload(UploadReport {
            received: report.created + report.updated + report.unchanged + report.rejected,
            ..report
        }),
        // Nobody is removed before everybody is.
        Report::Removal(report) => {
            let total = operation.progress.total.unwrap_or(report.total);
            Report::Removal(RemovalReport {
                total,
                kept: total,
                ..RemovalReport::default()
            })
        }
        import @ Report::Import(_) => import,
    })
}
