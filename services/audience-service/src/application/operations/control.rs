//! What stopping an operation gives back, and trying it again takes again.

use async_trait::async_trait;
use domain::{
    audience::Visibility,
    operation::{Operation, Report},
    shared::{AudienceId, OperationId},
};
use operations::{Control, Frame};
use ports::{
    StoreError,
    store::{Durability, Removal, RemovalState, UnitOfWork},
};

use super::{unfinished::unfinished, worker::makes_audience};
use crate::application::{Actor, App, AppError, AppResult, RequestId, events, recycle::new_target};

#[async_trait]
impl Control for App {
    type Unit = dyn UnitOfWork;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.deps.store.begin(Durability::Full).await
    }

    fn unfinished(&self, operation: &Operation) -> Option<Report> {
        unfinished(operation, None)
    }

    async fn ended(
        &self,
        unit: &mut (dyn UnitOfWork + 'static),
        ended: &Operation,
    ) -> AppResult<()> {
        self.abandon_new_audience(unit, ended).await?;
        self.withdraw_removal(unit, ended).await?;
        let event = events::operation_finished(&self.deps, ended)?;
        Ok(self.emit(unit, event).await?)
    }

    async fn reserve_again(
        &self,
        unit: &mut (dyn UnitOfWork + 'static),
        operation: &Operation,
    ) -> AppResult<()> {
        let error = operation.error.as_ref();
        if error.is_some_and(|error| error.code == "superseded") {
            let detail = "the audience was cleared since; recycle it again";
            return Err(AppError::conflict("operation_not_retryable", detail));
        }
        self.reserve_new_audience(unit, operation).await
    }
}

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
        operations::cancel(self, actor, request_id, id).await?;
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
        operations::retry(self, actor, request_id, id).await?;
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
