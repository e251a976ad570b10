//! What an operation that will not finish gives back.

use domain::operation::Operation;
use ports::store::{Removal, RemovalState, UnitOfWork};

use super::PlanPurge;
use crate::{AppResult, audience::AudienceVisibility};

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
        Ok(())
    }
}
