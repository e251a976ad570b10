//! What this service adds to its operations where they are shown.

use std::collections::BTreeMap;

use api_types::{
    operations::{RemovalReportJson, UploadReportJson},
    uploads::WarningJson,
};
use async_trait::async_trait;
use domain::{
    operation::{FileWarning, FileWarnings, Operation, OperationKind, Report},
    shared::OperationId,
};
use http_kit::operations::{Details, Shown};
use kernel::payload;
use ports::StoreError;
use serde_json::Value;

use crate::{
    Actor, AppError,
    audience::{made_by, new_target},
    control::Operations,
    http::v1::segments::preview_json,
    operation::has_rejected,
};

#[async_trait]
impl Shown for Operations {
    fn has(&self, kind: OperationKind) -> bool {
        kind != OperationKind::Import
    }

    fn details(&self, operation: &Operation) -> Result<Details, StoreError> {
        Ok(Details {
            report: operation.report.as_ref().map(report).transpose()?,
            rejected: has_rejected(operation),
            target: new_target(operation)?,
            made: match operation.kind {
                OperationKind::Derive => made_by(operation)?,
                _ => Vec::new(),
            },
            links: BTreeMap::new(),
        })
    }

    async fn undo(&self, actor: &Actor, id: OperationId) -> Result<(), AppError> {
        self.undo.execute(actor, id).await?;
        Ok(())
    }
}

fn report(report: &Report) -> Result<Value, StoreError> {
    match report {
        Report::Upload(report) => payload::encode(&UploadReportJson {
            received: report.received,
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            superseded: report.superseded,
            rejected: report.rejected,
            opted_out: report.opted_out,
            warnings: warnings_json(&report.warnings),
        }),
        Report::Removal(report) => {
            let by_reason = report.by_reason.iter();
            payload::encode(&RemovalReportJson {
                total: report.total,
                removed: report.removed,
                kept: report.kept,
                by_reason: by_reason.map(|(r, n)| (r.as_str().into(), *n)).collect(),
                unreadable: report.unreadable,
                warnings: warnings_json(&report.warnings),
                withheld: report.withheld,
            })
        }
        // Of another service, which shows its own.
        Report::Import(report) => payload::encode(report),
        Report::Refresh(report) => payload::encode(report),
        Report::Preview(report) => payload::encode(&preview_json(report)),
    }
}

/// What looks wrong in a file.
pub fn warnings_json(warnings: &FileWarnings) -> Vec<WarningJson> {
    let json = |warning: &FileWarning| WarningJson {
        line: warning.line,
        code: warning.code.clone(),
    };
    warnings.iter().map(json).collect()
}
