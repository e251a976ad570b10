//! Other services tell which audiences they use.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{audience::Usage, shared::WorkspaceId};
use events::{Envelope, v1::AudienceUsageChanged};
use messaging::EventHandler;
use ports::bus::{Delivery, Outcome};

use crate::{UseCases, audience::ToldUsage};

/// Notes what uses an audience, or does so no more.
pub struct NoteUsage(pub Arc<UseCases>);

#[async_trait]
impl EventHandler<AudienceUsageChanged> for NoteUsage {
    async fn handle(&self, delivery: &Delivery, event: Envelope<AudienceUsageChanged>) -> Outcome {
        let Some(told) = told(event) else {
            return Outcome::reject("an id, a kind or a name of the event is malformed");
        };
        Outcome::of(self.0.usages.told(told, &delivery.receipt).await)
    }
}

fn told(event: Envelope<AudienceUsageChanged>) -> Option<ToldUsage> {
    let data = event.data;
    Some(ToldUsage {
        workspace: WorkspaceId::parse(&event.attributes.workspace).ok()?,
        audience: data.audience_id.parse().ok()?,
        usage: Usage::parse(&data.kind, &data.id, &data.name, data.resource).ok()?,
        in_use: data.in_use,
        version: event.attributes.version,
    })
}
