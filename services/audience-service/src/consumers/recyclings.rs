//! An audience was written to, and is to be recycled then.

use std::sync::Arc;

use api_types::recycle::RecycleBody;
use async_trait::async_trait;
use domain::shared::{AudienceId, UserId, WorkspaceId};
use events::{Envelope, v1::RecyclingDue};
use kernel::Fnv;
use messaging::EventHandler;
use ports::bus::{Delivery, Outcome};

use crate::{Actor, AppError, AppResult, RequestId, UseCases, recycle::RecycleRequest};

/// Starts the recycling of an audience that a communication went to.
pub struct RecycleWritten(pub Arc<UseCases>);

/// What an event asks for.
struct Due {
    actor: Actor,
    request: RequestId,
    audience: AudienceId,
    rules: RecycleBody,
}

#[async_trait]
impl EventHandler<RecyclingDue> for RecycleWritten {
    async fn handle(&self, _: &Delivery, event: Envelope<RecyclingDue>) -> Outcome {
        let Some(due) = due(event) else {
            return Outcome::reject("an id or the rules of the event are malformed");
        };
        match self.recycle(due).await {
            Ok(()) => Outcome::Done,
            Err(AppError::Store(error)) => Outcome::of(Err(error)),
            // Nobody is left to be removed.
            Err(AppError::NotFound) => Outcome::Done,
            Err(error) => Outcome::reject(error.to_string()),
        }
    }
}

impl RecycleWritten {
    async fn recycle(&self, due: Due) -> AppResult<()> {
        let settings = self.0.workspaces.settings(&due.actor).await?;
        let asked = recycling::read(due.rules, settings.notation).map_err(AppError::Invalid)?;
        let request = RecycleRequest::from(asked);
        let recycle = &self.0.recycle;
        let started = recycle.execute(&due.actor, due.request, due.audience, request);
        started.await.map(drop)
    }
}

fn due(event: Envelope<RecyclingDue>) -> Option<Due> {
    let data = event.data;
    // The same however often the event comes: it is one request.
    let mut number = Fnv::default();
    number.part(data.communication_id.as_bytes());
    number.part(&data.occurrence.to_be_bytes());
    Some(Due {
        actor: Actor {
            workspace: WorkspaceId::parse(&event.attributes.workspace).ok()?,
            user: UserId::parse(&data.created_by).ok()?,
        },
        request: RequestId {
            write_id: number.finish().cast_signed() & i64::MAX,
            keyed: true,
        },
        audience: data.audience_id.parse().ok()?,
        rules: serde_json::from_str(&data.recycle).ok()?,
    })
}
