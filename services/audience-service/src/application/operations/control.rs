//! Stopping operations and trying them again.

use domain::{
    audience::Visibility,
    operation::{Failure, Operation, OperationState},
    shared::{AudienceId, OperationId},
};
use operations::Ending;
use ports::{
    StoreError,
    store::{Durability, Removal, RemovalState, UnitOfWork},
};

use super::{unfinished::unfinished, worker::makes_audience};
use crate::application::{Actor, App, AppError, AppResult, RequestId, Topic, recycle::new_target};

impl App {
    /// Asks an operation to stop. A queued one ends at once, a running one at its next checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_ended`.
    pub async fn cancel_operation(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
    ) -> AppResult<Operation> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        if self
            .earlier::<()>(uow.as_mut(), request_id)
            .await?
            .is_some()
        {
            return self.operation(actor, id).await;
        }
        let found = uow.operations().get(&actor.workspace, id).await?;
        let found = found.filter(|operation| operation.kind.is_asked_for());
        let operation = found.ok_or(AppError::NotFound)?;
        if operation.state.is_terminal() {
            let detail = format!("the operation has ended: {}", operation.state);
            return Err(AppError::conflict("operation_ended", detail));
        }
        self.keep(uow.as_mut(), request_id, &()).await?;
        // One that waits is in the hands of its worker as well, which knows what it has stored.
        if matches!(
            operation.state,
            OperationState::Running | OperationState::Waiting
        ) {
            uow.operations().request_cancel(id).await?;
            uow.commit().await?;
            self.wake.publish(Topic::Cancel(id.raw()));
        } else {
            let error = Failure::new("cancelled", "cancelled on request");
            let ending = Ending::cancelled(error, unfinished(&operation, None));
            self.abandon_new_audience(uow.as_mut(), &operation).await?;
            self.withdraw_removal(uow.as_mut(), &operation).await?;
            self.end_unleased(uow.as_mut(), &operation, &ending).await?;
            uow.commit().await?;
            self.announce(&operation);
        }
        self.operation(actor, id).await
    }

    /// Puts a failed or cancelled operation back into the queue; it goes on from its checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `operation_not_retryable`, or `name_taken` when the name of the
    /// audience it was to make was given away.
    pub async fn retry_operation(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: OperationId,
    ) -> AppResult<Operation> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        if self
            .earlier::<()>(uow.as_mut(), request_id)
            .await?
            .is_some()
        {
            return self.operation(actor, id).await;
        }
        let found = uow.operations().get(&actor.workspace, id).await?;
        let found = found.filter(|operation| operation.kind.is_asked_for());
        let operation = found.ok_or(AppError::NotFound)?;
        if !matches!(
            operation.state,
            OperationState::Failed | OperationState::Cancelled
        ) {
            let detail = format!(
                "only failed or cancelled operations: this one is {}",
                operation.state
            );
            return Err(AppError::conflict("operation_not_retryable", detail));
        }
        let superseded = operation
            .error
            .as_ref()
            .is_some_and(|e| e.code == "superseded");
        if superseded {
            let detail = "the audience was cleared since; recycle it again";
            return Err(AppError::conflict("operation_not_retryable", detail));
        }
        self.reserve_new_audience(uow.as_mut(), &operation).await?;
        uow.operations().requeue(id).await?;
        self.keep(uow.as_mut(), request_id, &()).await?;
        uow.commit().await?;
        self.wake.work();
        self.wake.publish(Topic::Operation(id.raw()));
        self.operation(actor, id).await
    }

    /// Gives up the audience that an operation was to make, and with it the name.
    pub(crate) async fn abandon_new_audience(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        self.set_visibility(uow, operation, Visibility::Creating, Visibility::Abandoned)
            .await
    }

    /// Reserves its name again.
    async fn reserve_new_audience(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        self.set_visibility(uow, operation, Visibility::Abandoned, Visibility::Creating)
            .await
    }

    async fn set_visibility(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        from: Visibility,
        to: Visibility,
    ) -> AppResult<()> {
        let Some(id) = made_audience(operation)? else {
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

    /// Withdraws a removal that was being built for an operation that will not finish it.
    pub(crate) async fn withdraw_removal(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
    ) -> AppResult<()> {
        let found = uow.contents().removal_of(operation.id).await?;
        if let Some(removal) = found.filter(|r| r.state == RemovalState::Building) {
            let withdrawn = Removal {
                state: RemovalState::Withdrawn,
                ..removal
            };
            uow.contents().save_removal(&withdrawn).await?;
            let now = self.deps.clock.now();
            self.plan_removal_purge(uow, operation, &withdrawn, now)
                .await?;
        }
        Ok(())
    }
}

/// The audience that the operation makes, if it makes one.
///
/// # Errors
/// `Corrupt` when its parameters cannot be read.
pub(crate) fn made_audience(operation: &Operation) -> Result<Option<AudienceId>, StoreError> {
    if makes_audience(operation) {
        return Ok(operation.audience);
    }
    new_target(operation)
}
