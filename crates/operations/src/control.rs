//! Stopping operations and trying them again, as requests ask for it.

use async_trait::async_trait;
use domain::{
    operation::{Failure, Operation, OperationState, Report},
    shared::OperationId,
};
use kernel::{Actor, AppError, RequestId, Topic, receipt};
use ports::{
    StoreError,
    store::{OperationUnit, OperationUpdate},
};

use crate::{Ending, Frame};

/// The member of a checkpoint that says that somebody confirmed the operation.
pub const CONFIRMED: &str = "confirmed";

/// What a service's operations hold besides their own rows.
#[async_trait]
pub trait Control: Send + Sync {
    /// The service's transaction.
    type Unit: OperationUnit + ?Sized;

    /// The frame of its operations.
    fn frame(&self) -> &Frame;

    /// Begins a writing transaction.
    async fn begin(&self) -> Result<Box<Self::Unit>, StoreError>;

    /// The report of an operation that ends before a worker goes on with it; its own where `None`.
    fn unfinished(&self, operation: &Operation) -> Option<Report>;

    /// What goes with the end of an operation that no worker had: its event, and what it gives back.
    async fn ended(&self, unit: &mut Self::Unit, ended: &Operation) -> Result<(), AppError>;

    /// Takes again what a failed or cancelled operation gave back.
    async fn reserve_again(
        &self,
        unit: &mut Self::Unit,
        operation: &Operation,
    ) -> Result<(), AppError>;
}

/// Asks an operation to stop. A queued one ends at once, a running one as soon as its worker hears of it.
///
/// # Errors
/// `NotFound`; `Conflict` with `operation_ended`; store errors.
pub async fn cancel<C: Control>(
    service: &C,
    actor: &Actor,
    request_id: RequestId,
    id: OperationId,
) -> Result<(), AppError> {
    if !try_cancel(service, actor, request_id, id).await? {
        // A worker took it at this moment: it is asked like any that runs.
        try_cancel(service, actor, request_id, id).await?;
    }
    let wake = service.frame().wake();
    wake.publish(Topic::Cancel(id.raw()));
    wake.publish(Topic::Operation(id.raw()));
    wake.outbox();
    // Another operation may have waited for this one's audience.
    wake.work();
    Ok(())
}

/// `false` where its state changed meanwhile.
async fn try_cancel<C: Control>(
    service: &C,
    actor: &Actor,
    request_id: RequestId,
    id: OperationId,
) -> Result<bool, AppError> {
    let mut unit = service.begin().await?;
    let Some(operation) = unless_done(unit.as_mut(), actor, request_id, id).await? else {
        return Ok(true);
    };
    match operation.state {
        state if state.is_terminal() => {
            let detail = format!("the operation has ended: {state}");
            return Err(AppError::conflict("operation_ended", detail));
        }
        state if state == OperationState::Queued || operation.awaits_confirmation() => {
            let failure = Failure::new("cancelled", "cancelled on request");
            let ending = Ending::cancelled(failure, service.unfinished(&operation));
            let now = service.frame().now();
            let update = ending.update(&operation, now);
            let updated = unit.operations().update(id, operation.state, &update).await;
            match updated {
                Err(StoreError::StaleVersion) => return Ok(false),
                updated => updated?,
            }
            let ended = ending.apply(&operation, now);
            service.ended(unit.as_mut(), &ended).await?;
        }
        // One that waits is in the hands of its worker as well, which knows what it has stored.
        _ => unit.operations().request_cancel(id).await?,
    }
    unit.commit().await?;
    Ok(true)
}

/// Puts a failed or cancelled operation back into the queue; it goes on from its checkpoint.
///
/// # Errors
/// `NotFound`; `Conflict` with `operation_not_retryable`, or what the service says itself; store errors.
pub async fn retry<C: Control>(
    service: &C,
    actor: &Actor,
    request_id: RequestId,
    id: OperationId,
) -> Result<(), AppError> {
    let mut unit = service.begin().await?;
    let Some(operation) = unless_done(unit.as_mut(), actor, request_id, id).await? else {
        return Ok(());
    };
    if !operation.state.is_retryable() {
        let detail = format!(
            "only failed or cancelled operations: this one is {}",
            operation.state
        );
        return Err(AppError::conflict("operation_not_retryable", detail));
    }
    service.reserve_again(unit.as_mut(), &operation).await?;
    unit.operations().requeue(id).await?;
    unit.commit().await?;
    tell_queued(service, id);
    Ok(())
}

/// Lets an operation go on that waits to be confirmed. Its checkpoint says so to its job: see [`CONFIRMED`].
///
/// # Errors
/// `NotFound`; `Conflict` with `nothing_to_confirm`; store errors.
pub async fn confirm<C: Control>(
    service: &C,
    actor: &Actor,
    request_id: RequestId,
    id: OperationId,
) -> Result<(), AppError> {
    let mut unit = service.begin().await?;
    let Some(operation) = unless_done(unit.as_mut(), actor, request_id, id).await? else {
        return Ok(());
    };
    let nothing = || {
        let detail = format!(
            "the operation waits for no confirmation: it is {}",
            operation.state
        );
        AppError::conflict("nothing_to_confirm", detail)
    };
    let mut checkpoint = operation.checkpoint.clone();
    let waits = operation.awaits_confirmation();
    let Some(reached) = checkpoint.as_object_mut().filter(|_| waits) else {
        return Err(nothing());
    };
    reached.insert(CONFIRMED.to_owned(), true.into());
    let update = OperationUpdate {
        state: Some(OperationState::Queued),
        checkpoint: Some(checkpoint),
        ..OperationUpdate::default()
    };
    match unit.operations().update(id, operation.state, &update).await {
        Err(StoreError::StaleVersion) => return Err(nothing()),
        updated => updated?,
    }
    unit.commit().await?;
    tell_queued(service, id);
    Ok(())
}

/// Wakes workers for an operation that is in the queue again, and whoever follows it.
fn tell_queued<C: Control>(service: &C, id: OperationId) {
    let wake = service.frame().wake();
    wake.work();
    wake.publish(Topic::Operation(id.raw()));
}

/// The operation, and the receipt of this request; `None` where an earlier run of it did all this.
async fn unless_done<U: OperationUnit + ?Sized>(
    unit: &mut U,
    actor: &Actor,
    request_id: RequestId,
    id: OperationId,
) -> Result<Option<Operation>, AppError> {
    let earlier = receipt::earlier::<serde_json::Value>(unit.receipts(), request_id).await?;
    if earlier.is_some() {
        return Ok(None);
    }
    let found = unit.operations().get(&actor.workspace, id).await?;
    let found = found.filter(|operation| operation.kind.is_asked_for());
    let operation = found.ok_or(AppError::NotFound)?;
    receipt::keep(unit.receipts(), request_id, &id.raw()).await?;
    Ok(Some(operation))
}
