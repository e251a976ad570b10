//! What an operation that will not finish gives back.

use domain::{
    audience::AudienceStatus,
    operation::{Operation, OperationKind, OperationState},
    shared::Epoch,
};
use kernel::payload;
use ports::store::{Removal, RemovalState, UnitOfWork};
use serde::Deserialize;

use super::{PlanPurge, PurgeParams};
use crate::{AppResult, audience::AudienceVisibility};

/// What of the checkpoint of a refresh says which content it has begun.
#[derive(Deserialize)]
struct Refreshing {
    epoch: Option<i64>,
}

/// Gives back what operations hold besides their own rows.
#[derive(Clone)]
pub struct ReleaseHeld {
    pub(crate) visibility: AudienceVisibility,
    pub(crate) purges: PlanPurge,
}

impl ReleaseHeld {
    /// Gives up the audience that the operation was to make, and withdraws the removal that was being
    /// built for it.
    pub(crate) async fn release(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        self.visibility.abandon(uow, operation).await?;
        let found = uow.contents().removal_of(operation.id).await?;
        if let Some(removal) = found.filter(|r| r.state == RemovalState::Building) {
            let withdrawn = Removal {
                state: RemovalState::Withdrawn,
                ..removal
            };
            uow.contents().save_removal(&withdrawn).await?;
            let now = self.purges.clock.now();
            self.purges
                .plan_removal(uow, operation, &withdrawn, now)
                .await?;
        }
        self.give_up_refresh(uow, operation).await
    }

    /// Deletes the content that a refresh has begun. An audience that was resolved for the first time has
    /// failed, or is a draft again where somebody stopped it.
    async fn give_up_refresh(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        let refresh = operation.kind == OperationKind::Refresh;
        let Some(id) = operation.audience.filter(|_| refresh) else {
            return Ok(());
        };
        let now = self.purges.clock.now();
        let found = uow.audiences().get(&operation.workspace, id).await?;
        if let Some(mut audience) = found
            && audience.status == AudienceStatus::InProgress
        {
            let next =
                match operation.cancel_requested || operation.state == OperationState::Cancelled {
                    true => AudienceStatus::Draft,
                    false => AudienceStatus::Failed,
                };
            let version = audience.version;
            audience.pass_to(next, now);
            uow.audiences().save(&audience, version).await?;
        }
        let reached: Option<Refreshing> =
            payload::decode(&operation.checkpoint, "the checkpoint of an operation")?;
        if let Some(epoch) = reached.and_then(|reached| reached.epoch) {
            let begun = PurgeParams::content(id, Epoch(epoch));
            self.purges.plan_after(uow, operation, begun, now).await?;
        }
        Ok(())
    }
}
