//! Stopping operations, trying them again, taking them back.

use api_types::operations::OperationJson;
use domain::shared::OperationId;

use super::{Caller, accepted, operation_json};
use crate::{Answer, ApiResult, Id, Idempotent, Nothing, OptionalBody, Problem, Wait};

/// Asks an operation to stop. A running one ends at its next checkpoint.
#[utoipa::path(
    post, path = "/operations/{id}/cancel", tag = "operations", operation_id = "cancelOperation",
    params(
        Id<OperationId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
    ),
    responses(
        (status = 200, description = "The operation, ended within the wait", body = OperationJson),
        (status = 202, description = "The operation, which will stop", body = OperationJson),
        (status = 409, description = "`operation_ended`"),
    ),
)]
pub async fn cancel(
    caller: Caller,
    Id(id): Id<OperationId>,
    Wait(wait): Wait,
    Idempotent(once, _): Idempotent<OptionalBody<Nothing>>,
) -> ApiResult {
    let (service, _) = caller.find(&caller.actor, id).await?;
    once.run(move |request_id| async move {
        service.cancel(&caller.actor, request_id, id).await?;
        accepted(service.as_ref(), &caller.actor, id, wait).await
    })
    .await
}

/// Puts a failed or cancelled operation back into the queue; it goes on from its checkpoint.
#[utoipa::path(
    post, path = "/operations/{id}/retry", tag = "operations", operation_id = "retryOperation",
    params(
        Id<OperationId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
    ),
    responses(
        (status = 200, description = "The operation, ended within the wait", body = OperationJson),
        (status = 202, description = "The operation, queued again", body = OperationJson),
        (status = 409, description = "`operation_not_retryable`, `name_taken`, `run_active`"),
    ),
)]
pub async fn retry(
    caller: Caller,
    Id(id): Id<OperationId>,
    Wait(wait): Wait,
    Idempotent(once, _): Idempotent<OptionalBody<Nothing>>,
) -> ApiResult {
    let (service, _) = caller.find(&caller.actor, id).await?;
    once.run(move |request_id| async move {
        service.retry(&caller.actor, request_id, id).await?;
        accepted(service.as_ref(), &caller.actor, id, wait).await
    })
    .await
}

/// Lets an operation go on that waits for confirmation (`reason: size_guard`).
#[utoipa::path(
    post, path = "/operations/{id}/confirm", tag = "operations", operation_id = "confirmOperation",
    params(
        Id<OperationId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
    ),
    responses(
        (status = 200, description = "The operation, ended within the wait", body = OperationJson),
        (status = 202, description = "The operation, which goes on", body = OperationJson),
        (status = 409, description = "`nothing_to_confirm`"),
    ),
)]
pub async fn confirm(
    caller: Caller,
    Id(id): Id<OperationId>,
    Wait(wait): Wait,
    Idempotent(once, _): Idempotent<OptionalBody<Nothing>>,
) -> ApiResult {
    let (service, _) = caller.find(&caller.actor, id).await?;
    once.run(move |request_id| async move {
        service.confirm(&caller.actor, request_id, id).await?;
        accepted(service.as_ref(), &caller.actor, id, wait).await
    })
    .await
}

/// Takes back what an operation did, in this one call. Again: no change.
#[utoipa::path(
    post, path = "/operations/{id}/undo", tag = "operations", operation_id = "undoOperation",
    params(Id<OperationId>),
    responses(
        (status = 200, description = "The operation, undone", body = OperationJson),
        (
            status = 409,
            description = "`not_undoable`, `undo_expired`, `later_removal_exists`, `audience_changed`",
        ),
    ),
)]
pub async fn undo(
    caller: Caller,
    Id(id): Id<OperationId>,
    Idempotent(once, _): Idempotent<OptionalBody<Nothing>>,
) -> ApiResult {
    let (service, _) = caller.find(&caller.actor, id).await?;
    once.run(move |_| async move {
        service.undo(&caller.actor, id).await?;
        let undone = service.frame().operation(&caller.actor.workspace, id);
        let undone = undone.await?.ok_or_else(Problem::not_found)?;
        Ok(Answer::ok(&operation_json(service.as_ref(), undone)?))
    })
    .await
}
