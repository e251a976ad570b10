//! What leaves for the bus: domain facts as integration events.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    audience::Audience,
    operation::{Operation, RefreshReport, RemovalReport, Report, UploadReport},
    shared::{Instant, OperationId, UserId, WorkspaceId},
};
use events::{IntegrationEvent, v1};
use kernel::{EventSource, Wake};
use ports::{
    Clock, IdGenerator, StoreError,
    bus::OutboxEvent,
    store::{NewOperation, UnitOfWork},
};

const SOURCE: EventSource = EventSource::new("/plateia/audience-service");

/// An event, unless it cannot be written.
type Event = Result<OutboxEvent, StoreError>;

/// Puts events into the outbox.
#[derive(Clone)]
pub struct Events {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) wake: Wake,
}

impl Events {
    /// Stores an event, to leave with this unit of work.
    pub(crate) async fn emit(
        &self,
        uow: &mut dyn UnitOfWork,
        event: OutboxEvent,
    ) -> Result<(), StoreError> {
        uow.outbox().add(event, self.clock.now()).await
    }

    /// Wakes the relay, after the commit.
    pub(crate) fn sent(&self) {
        self.wake.outbox();
    }

    /// Versions of audience events are snowflakes: they grow with every event.
    fn about_audience<E: IntegrationEvent>(&self, workspace: &WorkspaceId, data: E) -> Event {
        let (version, now) = (self.ids.next(), self.clock.now());
        SOURCE.event(now, workspace, format!("evt_{version}"), version, data)
    }

    /// A part of the recipients of a communication was found. Its id is derived: it is one event however often.
    pub(crate) fn recipients_resolved(
        &self,
        workspace: &WorkspaceId,
        data: v1::RecipientsResolved,
    ) -> Event {
        let (of, occurrence, part) = (&data.communication_id, data.occurrence, data.part);
        let id = format!("resolved-{of}-{occurrence}-{part}");
        SOURCE.event(self.clock.now(), workspace, id, occurrence, data)
    }

    /// The next part of the recipients of a communication is to be found.
    pub(crate) fn communication_due(
        &self,
        workspace: &WorkspaceId,
        data: v1::CommunicationDue,
    ) -> Event {
        let (of, occurrence, part) = (&data.communication_id, data.occurrence, data.part);
        let id = match data.looks {
            0 => format!("due-{of}-{occurrence}-{part}"),
            looks => format!("due-{of}-{occurrence}-{part}-{looks}"),
        };
        SOURCE.event(self.clock.now(), workspace, id, occurrence, data)
    }

    pub(crate) fn audience_created(&self, audience: &Audience) -> Event {
        let data = v1::AudienceCreated {
            audience_id: audience.id.to_string(),
            name: audience.name.as_str().to_owned(),
            kind: audience.kind.to_string(),
            source: audience.source.to_string(),
            status: audience.status.to_string(),
            tags: audience.tags.as_slice().to_vec(),
            contacts: audience.contacts,
            created_by: audience.created_by.to_string(),
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn audience_updated(&self, audience: &Audience, by: &UserId) -> Event {
        let data = v1::AudienceUpdated {
            audience_id: audience.id.to_string(),
            name: audience.name.as_str().to_owned(),
            status: audience.status.to_string(),
            tags: audience.tags.as_slice().to_vec(),
            updated_by: by.to_string(),
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn audience_dropped(&self, audience: &Audience, by: &UserId) -> Event {
        let data = v1::AudienceDropped {
            audience_id: audience.id.to_string(),
            dropped_by: by.to_string(),
            restorable_until: None,
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn audience_restored(&self, audience: &Audience, by: &UserId) -> Event {
        let data = v1::AudienceRestored {
            audience_id: audience.id.to_string(),
            name: audience.name.as_str().to_owned(),
            restored_by: by.to_string(),
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn audience_cleared(
        &self,
        audience: &Audience,
        operation: OperationId,
        by: &UserId,
    ) -> Event {
        let data = v1::AudienceCleared {
            audience_id: audience.id.to_string(),
            operation_id: operation.to_string(),
            removed: audience.contacts,
            cleared_by: by.to_string(),
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn audience_imported(
        &self,
        audience: &Audience,
        operation: OperationId,
        report: &UploadReport,
    ) -> Event {
        let data = v1::AudienceImported {
            audience_id: audience.id.to_string(),
            operation_id: operation.to_string(),
            received: report.received,
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            rejected: report.rejected,
            contacts: audience.contacts,
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn audience_refreshed(
        &self,
        audience: &Audience,
        operation: OperationId,
        report: &RefreshReport,
    ) -> Event {
        let data = v1::AudienceRefreshed {
            audience_id: audience.id.to_string(),
            operation_id: operation.to_string(),
            version: audience.epoch.0,
            size: report.size,
            entered: report.entered,
            left: report.left,
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn members_changed(
        &self,
        audience: &Audience,
        entered: Vec<v1::AudienceMember>,
        left: Vec<v1::AudienceMember>,
    ) -> Event {
        let data = v1::AudienceMembersChanged {
            audience_id: audience.id.to_string(),
            version: audience.epoch.0,
            entered,
            left,
        };
        self.about_audience(&audience.workspace, data)
    }

    pub(crate) fn recycle_requested(&self, operation: &NewOperation) -> Event {
        let data = v1::RecycleRequested {
            audience_id: operation
                .audience
                .map(|a| a.to_string())
                .unwrap_or_default(),
            operation_id: operation.id.to_string(),
            requested_by: operation.created_by.to_string(),
        };
        self.about_audience(&operation.workspace, data)
    }

    pub(crate) fn recycle_completed(
        &self,
        operation: &Operation,
        target: Option<String>,
        report: &RemovalReport,
        undo_until: Instant,
    ) -> Event {
        let data = v1::RecycleCompleted {
            audience_id: audience_text(operation),
            operation_id: operation.id.to_string(),
            target_audience_id: target,
            total: report.total,
            removed: report.removed,
            kept: report.kept,
            by_reason: by_reason(report),
            undo_until: Some(undo_until.into()),
        };
        self.about_audience(&operation.workspace, data)
    }

    pub(crate) fn removal_undone(
        &self,
        operation: &Operation,
        restored: i64,
        withheld: i64,
        by: &UserId,
    ) -> Event {
        let data = v1::RemovalUndone {
            audience_id: audience_text(operation),
            operation_id: operation.id.to_string(),
            restored,
            withheld,
            undone_by: by.to_string(),
        };
        self.about_audience(&operation.workspace, data)
    }

    /// One per operation and attempt: its id is derived, so that a second one could never be stored.
    pub(crate) fn operation_finished(&self, operation: &Operation) -> Event {
        use v1::operation_finished::Report as Sent;
        let report = operation.report.as_ref().and_then(|report| match report {
            Report::Upload(r) => Some(Sent::Upload(v1::UploadCounts {
                received: r.received,
                created: r.created,
                updated: r.updated,
                unchanged: r.unchanged,
                rejected: r.rejected,
            })),
            Report::Removal(r) => Some(Sent::Removal(v1::RemovalCounts {
                total: r.total,
                removed: r.removed,
                kept: r.kept,
                by_reason: by_reason(r),
            })),
            Report::Refresh(r) => Some(Sent::Refresh(v1::RefreshCounts {
                size: r.size,
                entered: r.entered,
                left: r.left,
                changed: r.changed,
                unsubscribed: r.unsubscribed,
            })),
            // The end of an import is told by import-job-service; what a preview found is read.
            Report::Import(_) | Report::Preview(_) => None,
        });
        let data = v1::OperationFinished {
            operation_id: operation.id.to_string(),
            kind: operation.kind.to_string(),
            state: operation.state.to_string(),
            result: operation.result.map(|r| r.to_string()),
            audience_id: operation.audience.map(|a| a.to_string()),
            created_by: operation.created_by.to_string(),
            attempt: operation.attempt,
            finished_at: operation.finished_at.map(Into::into),
            report,
            error_code: operation.error.as_ref().map(|e| e.code.clone()),
        };
        let id = format!("{}.finished.{}", operation.id, operation.attempt);
        let (version, now) = (i64::from(operation.attempt), self.clock.now());
        SOURCE.event(now, &operation.workspace, id, version, data)
    }
}

fn audience_text(operation: &Operation) -> String {
    operation
        .audience
        .map(|a| a.to_string())
        .unwrap_or_default()
}

fn by_reason(report: &RemovalReport) -> BTreeMap<String, i64> {
    report
        .by_reason
        .iter()
        .map(|(r, n)| (r.as_str().to_owned(), *n))
        .collect()
}
