//! What an operation says that ends before its work is done: what is stored, and nothing else.

use domain::operation::{Operation, RefreshReport, RemovalReport, Report, UploadReport};

use crate::audience::makes_audience;

/// The report of an operation as it ends early, where `counted` is later than what it says itself.
pub(crate) fn unfinished(operation: &Operation, counted: Option<Report>) -> Option<Report> {
    Some(match counted.or_else(|| operation.report.clone())? {
        Report::Upload(report) if makes_audience(operation.kind) => {
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
        // Nobody is a member before everybody is.
        Report::Refresh(_) => Report::Refresh(RefreshReport::default()),
        preview @ Report::Preview(_) => preview,
    })
}
