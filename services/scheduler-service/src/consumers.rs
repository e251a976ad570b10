//! What the service does when an event arrives.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    scheduling::RecipientStatus,
    shared::{Instant, WorkspaceId},
};
use events::{
    Envelope,
    v1::{DispatchReported, RecipientsResolved},
};
use messaging::{EventHandler, Router};
use ports::bus::{Delivery, Outcome, Subscription};

use crate::{dispatch::NewReport, use_cases::UseCases};

/// Adds every handler.
pub fn listen(router: Router, cases: &Arc<UseCases>) -> Router {
    let subscription = || Subscription::from_static(events::COMMUNICATIONS);
    router
        .on::<RecipientsResolved>(subscription(), Dispatch(Arc::clone(cases)))
        .on::<DispatchReported>(subscription(), Report(Arc::clone(cases)))
}

/// Sends to recipients that were found.
struct Dispatch(Arc<UseCases>);

#[async_trait]
impl EventHandler<RecipientsResolved> for Dispatch {
    async fn handle(&self, delivery: &Delivery, event: Envelope<RecipientsResolved>) -> Outcome {
        let Ok(workspace) = WorkspaceId::parse(&event.attributes.workspace) else {
            return Outcome::reject("the workspace of the event is malformed");
        };
        let resolved = &self.0.resolved;
        Outcome::of(
            resolved
                .execute(&workspace, event.data, &delivery.receipt)
                .await,
        )
    }
}

/// Notes what became of a dispatch.
struct Report(Arc<UseCases>);

#[async_trait]
impl EventHandler<DispatchReported> for Report {
    async fn handle(&self, delivery: &Delivery, event: Envelope<DispatchReported>) -> Outcome {
        let Some((workspace, report)) = report(event) else {
            return Outcome::reject("an id, a status or an instant of the event is malformed");
        };
        let reports = &self.0.reports;
        Outcome::of(
            reports
                .delivered(&workspace, report, &delivery.receipt)
                .await,
        )
    }
}

fn report(event: Envelope<DispatchReported>) -> Option<(WorkspaceId, NewReport)> {
    let data = event.data;
    let status: RecipientStatus = data.status.parse().ok()?;
    // What says nothing of what a sender did, no sender reports.
    RecipientStatus::Dispatched.reported(status)?;
    let report = NewReport {
        dispatch: data.dispatch_id.parse().ok()?,
        status,
        at: Instant::try_from(data.at?).ok()?,
        provider_id: data.provider_id,
        error: data.error,
    };
    let workspace = WorkspaceId::parse(&event.attributes.workspace).ok()?;
    Some((workspace, report))
}
