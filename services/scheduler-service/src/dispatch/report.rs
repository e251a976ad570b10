//! Takes what senders report.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    scheduling::{DispatchId, Recipient, RecipientStatus},
    shared::{Instant, WorkspaceId},
};
use kernel::AppError;
use ports::{
    Clock, StoreError,
    bus::Receipt,
    scheduling::{ScheduleStore, ScheduleUnit},
};

/// What became of a dispatch.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// The dispatch.
    pub dispatch: DispatchId,
    /// Where it stands.
    pub status: RecipientStatus,
    /// Since when.
    pub at: Instant,
    /// The sender's name of it.
    pub provider_id: Option<String>,
    /// The sender's code of a failure.
    pub error: Option<String>,
}

/// Takes what senders report.
#[derive(Clone)]
pub struct TakeReports {
    pub store: Arc<dyn ScheduleStore>,
    pub clock: Arc<dyn Clock>,
}

impl TakeReports {
    /// Takes reports; answers which are of no dispatch. Repeated ones, and those that others have overtaken, change
    /// nothing.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "communication.report", skip_all)]
    pub async fn execute(
        &self,
        workspace: &WorkspaceId,
        reports: &[NewReport],
    ) -> Result<Vec<DispatchId>, AppError> {
        let mut unit = self.store.begin_schedule().await?;
        let unknown = take(unit.as_mut(), workspace, reports).await?;
        unit.commit().await?;
        Ok(unknown)
    }

    /// Takes one that came as an event, once.
    ///
    /// # Errors
    /// `StaleVersion` where the delivery was taken over; store errors.
    #[tracing::instrument(name = "communication.reported", skip_all)]
    pub async fn delivered(
        &self,
        workspace: &WorkspaceId,
        report: NewReport,
        delivery: &Receipt,
    ) -> Result<(), StoreError> {
        let mut unit = self.store.begin_schedule().await?;
        let unknown = take(unit.as_mut(), workspace, &[report]).await?;
        for dispatch in unknown {
            tracing::warn!(%dispatch, "a report is of no dispatch");
        }
        unit.inbox().complete(delivery, self.clock.now()).await?;
        unit.commit().await
    }
}

async fn take(
    unit: &mut dyn ScheduleUnit,
    workspace: &WorkspaceId,
    reports: &[NewReport],
) -> Result<Vec<DispatchId>, StoreError> {
    let ids: Vec<DispatchId> = reports
        .iter()
        .map(|report| report.dispatch.clone())
        .collect();
    let found = unit.recipients().get(workspace, &ids).await?;
    let mut found: BTreeMap<DispatchId, (Recipient, RecipientStatus)> = found
        .into_iter()
        .map(|recipient| {
            let stood = recipient.status;
            (recipient.dispatch.clone(), (recipient, stood))
        })
        .collect();
    let mut unknown = Vec::new();
    for report in reports {
        let Some((recipient, _)) = found.get_mut(&report.dispatch) else {
            unknown.push(report.dispatch.clone());
            continue;
        };
        let Some(status) = recipient.status.reported(report.status) else {
            continue;
        };
        recipient.status = status;
        recipient.updated_at = report.at;
        recipient.reason = match status {
            RecipientStatus::Failed => report.error.clone(),
            _ => None,
        };
        if report.provider_id.is_some() {
            recipient.provider_id.clone_from(&report.provider_id);
        }
    }
    let changed = found.into_values();
    let changed: Vec<_> = changed
        .filter(|(now, stood)| now.status != *stood)
        .collect();
    unit.recipients().save(&changed).await?;
    Ok(unknown)
}
