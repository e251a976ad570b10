//! Creates a communication.

use std::sync::Arc;

use chrono::SubsecRound;
use domain::{
    scheduling::{Communication, CommunicationState, Plan},
    shared::CommunicationId,
};
use kernel::{Actor, AppError, RequestId, receipt};
use ports::{Clock, IdGenerator, scheduling::ScheduleStore};

use super::check::CheckPlan;
use crate::dispatch::{Signals, emit};

/// A communication that is to be.
pub struct NewCommunication {
    /// Its name.
    pub name: String,
    /// When what is sent to whom.
    pub plan: Plan,
}

/// Creates communications.
#[derive(Clone)]
pub struct CreateCommunication {
    pub store: Arc<dyn ScheduleStore>,
    pub check: CheckPlan,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
    pub signals: Signals,
}

impl CreateCommunication {
    /// Creates one, which waits for its instant from then on; a repeated request answers the one that it created.
    ///
    /// # Errors
    /// `Invalid`; store errors.
    #[tracing::instrument(name = "communication.create", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        new: NewCommunication,
    ) -> Result<Communication, AppError> {
        let mut unit = self.store.begin_schedule().await?;
        if let Some(id) = receipt::earlier(unit.receipts(), request_id).await? {
            let id = CommunicationId::from_raw(id);
            let found = unit.communications().get(&actor.workspace, id).await?;
            if let Some(communication) = found {
                return Ok(communication);
            }
        }
        // Nothing is held while another service is asked.
        drop(unit);
        let now = self.clock.now().trunc_subsecs(3);
        let due_at = self.check.due_at(actor, &new.plan, now).await?;
        let communication = Communication {
            id: CommunicationId::from_raw(self.ids.next()),
            workspace: actor.workspace.clone(),
            name: new.name,
            state: CommunicationState::Scheduled,
            plan: new.plan,
            due_at,
            occurrence: 0,
            in_flight: false,
            version: 1,
            created_by: actor.user.to_string(),
            created_at: now,
            updated_at: now,
        };
        let mut unit = self.store.begin_schedule().await?;
        unit.communications().add(&communication).await?;
        emit::usage(unit.as_mut(), now, &communication).await?;
        receipt::keep(unit.receipts(), request_id, &communication.id.raw()).await?;
        unit.commit().await?;
        self.signals.planned();
        Ok(communication)
    }
}
