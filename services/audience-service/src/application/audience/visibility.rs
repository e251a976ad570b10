//! Whether readers may see an audience that a request or an operation makes.

use std::sync::Arc;

use domain::{
    audience::{Audience, Visibility},
    operation::Operation,
};
use ports::{Clock, store::UnitOfWork};

use super::made_by;
use crate::application::{AppError, AppResult, events::Events};

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
        if audience.visibility == Visibility::Ready {
            return Ok(false);
        }
        audience.visibility = Visibility::Ready;
        audience.updated_at = self.clock.now();
        uow.audiences().save(audience, audience.version).await?;
        Ok(true)
    }

    /// Gives up the audience that an operation was to make, and with it the name.
    pub(crate) async fn abandon(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        change(uow, operation, Visibility::Creating, Visibility::Abandoned).await
    }

    /// Reserves its name again.
    pub(crate) async fn reserve(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        change(uow, operation, Visibility::Abandoned, Visibility::Creating).await
    }
}

async fn change(
    uow: &mut dyn UnitOfWork,
    operation: &Operation,
    from: Visibility,
    to: Visibility,
) -> AppResult<()> {
    let Some(id) = made_by(operation)? else {
        return Ok(());
    };
    let found = uow.audiences().get(&operation.workspace, id).await?;
    if let Some(mut audience) = found.filter(|a| a.visibility == from) {
        let version = audience.version;
        audience.visibility = to;
        uow.audiences().save(&audience, version).await?;
    }
    Ok(())
}
