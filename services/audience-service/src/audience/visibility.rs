//! Whether readers may see an audience that a request or an operation makes.

use std::sync::Arc;

use domain::{audience::Audience, operation::Operation};
use ports::{Clock, store::UnitOfWork};

use super::made_by;
use crate::{AppError, AppResult, events::Events};

/// Shows audiences when they are complete, and gives up those that will not be.
#[derive(Clone)]
pub struct AudienceVisibility {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
}

impl AudienceVisibility {
    /// Shows an audience that an operation has made, with its event.
    pub(crate) async fn reveal(
        &self,
        uow: &mut dyn UnitOfWork,
        audience: &mut Audience,
    ) -> AppResult<()> {
        if self.show(&mut *uow, audience).await? {
            let event = self.events.audience_created(audience)?;
            self.events.emit(&mut *uow, event).await?;
        }
        Ok(())
    }

    /// The one flip of a creation. Answers whether the audience did not show before.
    pub(crate) async fn show(
        &self,
        uow: &mut dyn UnitOfWork,
        audience: &mut Audience,
    ) -> AppResult<bool> {
        let stored = uow
            .audiences()
            .get(&audience.workspace, audience.id)
            .await?;
        *audience = stored.ok_or(AppError::NotFound)?;
        let hidden = audience.show(self.clock.now());
        if hidden {
            uow.audiences().save(audience, audience.version).await?;
        }
        Ok(hidden)
    }

    /// Gives up the audience that an operation was to make, and with it the name.
    pub(crate) async fn abandon(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        change(uow, operation, Audience::abandon).await
    }

    /// Reserves their names again.
    pub(crate) async fn reserve(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        change(uow, operation, Audience::resume).await
    }
}

async fn change(
    uow: &mut dyn UnitOfWork,
    operation: &Operation,
    change: impl Fn(&mut Audience) -> bool + Send,
) -> AppResult<()> {
    for id in made_by(operation)? {
        let found = uow.audiences().get(&operation.workspace, id).await?;
        if let Some(mut audience) = found
            && change(&mut audience)
        {
            uow.audiences().save(&audience, audience.version).await?;
        }
    }
    Ok(())
}
