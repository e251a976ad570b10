//! Changes, pauses, resumes and cancels a communication.

use std::sync::Arc;

use chrono::SubsecRound;
use domain::{
    scheduling::{AlreadyDispatched, Communication, CommunicationState, Lane, Recipients},
    shared::{CommunicationId, Instant},
};
use kernel::{Actor, AppError};
use ports::{
    Clock, StoreError,
    scheduling::{ScheduleStore, ScheduleUnit},
};

use super::{NewCommunication, check::CheckPlan};
use crate::dispatch::{Signals, emit};

/// Changes communications that have not been claimed.
#[derive(Clone)]
pub struct ChangeCommunication {
    pub store: Arc<dyn ScheduleStore>,
    pub check: CheckPlan,
    pub clock: Arc<dyn Clock>,
    pub signals: Signals,
}

impl ChangeCommunication {
    /// Changes one as it was at a version.
    ///
    /// # Errors
    /// `NotFound`; `Invalid`; `PreconditionFailed` where it has changed since; `Conflict` with `already_dispatched`;
    /// store errors.
    #[tracing::instrument(name = "communication.change", skip_all)]
    pub async fn plan(
        &self,
        actor: &Actor,
        id: CommunicationId,
        version: i64,
        new: NewCommunication,
    ) -> Result<Communication, AppError> {
        let now = self.now();
        let due_at = self.check.due_at(actor, &new.plan, now).await?;
        self.apply(actor, id, move |communication, now| {
            if communication.version != version {
                return Err(AppError::PreconditionFailed);
            }
            let planned = communication.plan_anew(new.name, new.plan, due_at, now);
            planned.map(|()| true).map_err(refused)
        })
        .await
    }

    /// Lets one wait until it is resumed. Again: no change.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `already_dispatched`; store errors.
    #[tracing::instrument(name = "communication.pause", skip_all)]
    pub async fn pause(
        &self,
        actor: &Actor,
        id: CommunicationId,
    ) -> Result<Communication, AppError> {
        self.apply(actor, id, |it, now| it.pause(now).map_err(refused))
            .await
    }

    /// Lets one wait for its instant again. Again: no change.
    ///
    /// # Errors
    /// As [`Self::pause`].
    #[tracing::instrument(name = "communication.resume", skip_all)]
    pub async fn resume(
        &self,
        actor: &Actor,
        id: CommunicationId,
    ) -> Result<Communication, AppError> {
        self.apply(actor, id, |it, now| it.resume(now).map_err(refused))
            .await
    }

    /// Cancels one. Again: no change.
    ///
    /// # Errors
    /// As [`Self::pause`].
    #[tracing::instrument(name = "communication.cancel", skip_all)]
    pub async fn cancel(
        &self,
        actor: &Actor,
        id: CommunicationId,
    ) -> Result<Communication, AppError> {
        self.apply(actor, id, |it, now| it.cancel(now).map_err(refused))
            .await
    }

    fn now(&self) -> Instant {
        self.clock.now().trunc_subsecs(3)
    }

    /// Makes a change under the lock of the communication, which a claim takes as well: of the two, one is first.
    async fn apply(
        &self,
        actor: &Actor,
        id: CommunicationId,
        change: impl FnOnce(&mut Communication, Instant) -> Result<bool, AppError> + Send,
    ) -> Result<Communication, AppError> {
        let mut unit = self.store.begin_schedule().await?;
        let found = unit.communications().get(&actor.workspace, id).await?;
        let mut communication = found.ok_or(AppError::NotFound)?;
        let before = communication.clone();
        let now = self.now();
        if change(&mut communication, now)? {
            let changed = std::slice::from_ref(&communication);
            unit.communications().save(changed).await?;
            if communication.in_flight {
                let paused = communication.state == CommunicationState::Paused;
                stop_or_go(unit.as_mut(), id, (!paused).then_some(now)).await?;
            }
            if used(&before) != used(&communication) {
                emit::unused(unit.as_mut(), now, &before, communication.version).await?;
            }
            emit::usage(unit.as_mut(), now, &communication).await?;
            unit.commit().await?;
            self.signals.planned();
        }
        Ok(communication)
    }
}

/// Lets nothing more of a communication leave, or what waits from an instant on.
async fn stop_or_go(
    unit: &mut dyn ScheduleUnit,
    id: CommunicationId,
    due_at: Option<Instant>,
) -> Result<(), StoreError> {
    let Some(lane) = unit.lanes().get(id).await? else {
        return Ok(());
    };
    unit.lanes().save(&Lane { due_at, ..lane }).await
}

/// The audience that it goes to.
fn used(communication: &Communication) -> Option<i64> {
    match communication.plan.recipients {
        Recipients::Audience(id) => Some(id.raw()),
        Recipients::Customers(_) | Recipients::Broadcast => None,
    }
}

fn refused(error: AlreadyDispatched) -> AppError {
    AppError::conflict("already_dispatched", error.to_string())
}
