//! Cancels a communication.

use std::sync::Arc;

use chrono::SubsecRound;
use domain::{scheduling::Communication, shared::CommunicationId};
use kernel::{Actor, AppError};
use ports::{Clock, scheduling::ScheduleStore};

use crate::dispatch::{Due, emit};

/// Cancels communications.
#[derive(Clone)]
pub struct CancelCommunication {
    pub store: Arc<dyn ScheduleStore>,
    pub clock: Arc<dyn Clock>,
    pub due: Due,
}

impl CancelCommunication {
    /// Cancels one that has not been claimed. Again: no change.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `already_dispatched`; store errors.
    #[tracing::instrument(name = "communication.cancel", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        id: CommunicationId,
    ) -> Result<Communication, AppError> {
        let mut unit = self.store.begin_schedule().await?;
        let found = unit.communications().get(&actor.workspace, id).await?;
        let mut communication = found.ok_or(AppError::NotFound)?;
        let now = self.clock.now().trunc_subsecs(3);
        let changed = communication
            .cancel(now)
            .map_err(|error| AppError::conflict("already_dispatched", error.to_string()))?;
        if changed {
            let changed = std::slice::from_ref(&communication);
            unit.communications().save(changed).await?;
            emit::usage(unit.as_mut(), now, &communication).await?;
            unit.commit().await?;
            self.due.left();
        }
        Ok(communication)
    }
}
