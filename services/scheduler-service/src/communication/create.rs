//! Creates a communication.

use std::sync::Arc;

use chrono::SubsecRound;
use domain::{
    scheduling::{Communication, CommunicationState, Plan, Recipients},
    shared::{CommunicationId, Violation},
};
use kernel::{Actor, AppError, RequestId, receipt};
use ports::{
    Clock, IdGenerator,
    scheduling::{Directory, ScheduleStore},
};

use crate::dispatch::{Due, emit};

/// Unknown customers that a refusal names.
const NAMED: usize = 10;

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
    pub directory: Arc<dyn Directory>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
    pub due: Due,
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
        let mut broken = new.plan.violations(now);
        if broken.is_empty() {
            broken.extend(self.unknown(actor, &new.plan.recipients).await?);
        }
        let due_at = match new.plan.timing.next_after(now) {
            Some(due_at) if broken.is_empty() => due_at,
            _ => return Err(AppError::Invalid(broken)),
        };
        let communication = Communication {
            id: CommunicationId::from_raw(self.ids.next()),
            workspace: actor.workspace.clone(),
            name: new.name,
            state: CommunicationState::Scheduled,
            plan: new.plan,
            due_at,
            occurrence: 0,
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
        self.due.planned();
        Ok(communication)
    }

    /// Who or what is named that there is not.
    async fn unknown(
        &self,
        actor: &Actor,
        recipients: &Recipients,
    ) -> Result<Option<Violation>, AppError> {
        let workspace = &actor.workspace;
        match recipients {
            Recipients::Broadcast => Ok(None),
            Recipients::Audience(id) => {
                let known = self.directory.has_audience(workspace, *id).await?;
                let unknown = || {
                    let detail = "there is no such audience";
                    Violation::new("/recipients/audience_id", "audience_unknown", detail)
                };
                Ok((!known).then(unknown))
            }
            Recipients::Customers(ids) => {
                let unknown = self.directory.unknown_customers(workspace, ids).await?;
                if unknown.is_empty() {
                    return Ok(None);
                }
                let named: Vec<String> = unknown
                    .iter()
                    .take(NAMED)
                    .map(ToString::to_string)
                    .collect();
                let more = match unknown.len().checked_sub(NAMED) {
                    None | Some(0) => String::new(),
                    Some(more) => format!(" and {more} more"),
                };
                let detail = format!("there is no customer {}{more}", named.join(", "));
                let pointer = "/recipients/customer_ids";
                Ok(Some(Violation::new(pointer, "customers_unknown", detail)))
            }
        }
    }
}
