//! The end of an operation becomes a notification for the user who asked for it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    notification::{NotificationKind, Subject},
    operation::OperationKind,
    shared::{OperationId, UserId, WorkspaceId},
};
use events::{Envelope, v1::OperationFinished, v1::operation_finished::Report};
use messaging::EventHandler;
use ports::bus::{Delivery, Outcome};
use serde_json::{Value, json};

use crate::{UseCases, notification::Notice};

/// Stores a notification for each end of an operation that a user asked for.
pub struct NotifyUser(pub Arc<UseCases>);

#[async_trait]
impl EventHandler<OperationFinished> for NotifyUser {
    async fn handle(&self, delivery: &Delivery, event: Envelope<OperationFinished>) -> Outcome {
        let data = event.data;
        if data.kind == OperationKind::Purge.as_str() {
            // Housekeeping: nobody asked for it, nobody waits for it.
            return Outcome::Done;
        }
        let Some(notice) = notice(&event.attributes.workspace, data) else {
            return Outcome::reject("an id of the event is malformed");
        };
        Outcome::of(self.0.notifications.notify(notice, &delivery.receipt).await)
    }
}

fn notice(workspace: &str, data: OperationFinished) -> Option<Notice> {
    let operation: OperationId = data.operation_id.parse().ok()?;
    Some(Notice {
        workspace: WorkspaceId::parse(workspace).ok()?,
        user: UserId::parse(&data.created_by).ok()?,
        subject: Subject {
            kind: NotificationKind::OperationEnded,
            id: operation.to_string(),
            occasion: i64::from(data.attempt),
        },
        data: payload(&data),
    })
}

/// What the panel and streams show, in the V1 API's names.
fn payload(data: &OperationFinished) -> Value {
    let report = data.report.as_ref().map(|report| match report {
        Report::Upload(r) => json!({
            "received": r.received,
            "created": r.created,
            "updated": r.updated,
            "unchanged": r.unchanged,
            "rejected": r.rejected,
        }),
        Report::Removal(r) => json!({
            "total": r.total,
            "removed": r.removed,
            "kept": r.kept,
            "by_reason": r.by_reason,
        }),
        Report::Import(r) => json!({
            "client": r.client_slug,
            "received": r.received,
            "created": r.created,
            "updated": r.updated,
            "unchanged": r.unchanged,
            "quarantined": r.quarantined,
        }),
        Report::Refresh(r) => json!({
            "size": r.size,
            "entered": r.entered,
            "left": r.left,
            "changed": r.changed,
            "unsubscribed": r.unsubscribed,
        }),
    });
    json!({
        "operation_id": data.operation_id,
        "audience_id": data.audience_id,
        "kind": data.kind,
        "state": data.state,
        "result": data.result,
        "attempt": data.attempt,
        "report": report,
        "error_code": data.error_code,
    })
}
