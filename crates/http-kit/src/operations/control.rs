//! Stopping operations, trying them again, taking them back.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use serde::Deserialize;

use super::{OperationJson, Operations, accepted, path_id};
use crate::{Answer, Problem, ProblemBody, prefer};

const INVALID: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// An empty object.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Asks an operation to stop. A running one ends at its next checkpoint.
#[utoipa::path(
    post,
    path = "/operations/{id}/cancel",
    tag = "operations",
    operation_id = "cancelOperation",
    params(
        ("id" = String, Path, description = "`op_…`"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
    ),
    responses(
        (status = 200, description = "The operation, ended within the wait", body = OperationJson),
        (status = 202, description = "The operation, which will stop", body = OperationJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`operation_ended`", body = ProblemBody),
    )
)]
pub async fn cancel(
    state: Data<Operations>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let context = &state.context;
    let actor = context.caller(&request).await?;
    let id = path_id(&path)?;
    let body = context.optional_json::<Nothing>(&request, payload, INVALID);
    let hash = body.await?.hash;
    let wait = prefer::wait(request.headers());
    let (service, _) = state.find(&actor, id).await?;
    let caller = actor.clone();
    context
        .once(&request, &actor, hash, move |request_id| async move {
            service.cancel(&caller, request_id, id).await?;
            accepted(service.as_ref(), &caller, id, wait).await
        })
        .await
}

/// Puts a failed or cancelled operation back into the queue; it goes on from its checkpoint.
#[utoipa::path(
    post,
    path = "/operations/{id}/retry",
    tag = "operations",
    operation_id = "retryOperation",
    params(
        ("id" = String, Path, description = "`op_…`"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
    ),
    responses(
        (status = 200, description = "The operation, ended within the wait", body = OperationJson),
        (status = 202, description = "The operation, queued again", body = OperationJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`operation_not_retryable`, `name_taken`, `run_active`", body = ProblemBody),
    )
)]
pub async fn retry(
    state: Data<Operations>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let context = &state.context;
    let actor = context.caller(&request).await?;
    let id = path_id(&path)?;
    let body = context.optional_json::<Nothing>(&request, payload, INVALID);
    let hash = body.await?.hash;
    let wait = prefer::wait(request.headers());
    let (service, _) = state.find(&actor, id).await?;
    let caller = actor.clone();
    context
        .once(&request, &actor, hash, move |request_id| async move {
            service.retry(&caller, request_id, id).await?;
            accepted(service.as_ref(), &caller, id, wait).await
        })
        .await
}

/// Takes back what an operation did, in this one call. Again: no change.
#[utoipa::path(
    post,
    path = "/operations/{id}/undo",
    tag = "operations",
    operation_id = "undoOperation",
    params(("id" = String, Path, description = "`op_…`")),
    responses(
        (status = 200, description = "The operation, undone", body = OperationJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (
            status = 409,
            description = "`not_undoable`, `undo_expired`, `later_removal_exists`, `audience_changed`",
            body = ProblemBody
        ),
    )
)]
pub async fn undo(
    state: Data<Operations>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let context = &state.context;
    let actor = context.caller(&request).await?;
    let id = path_id(&path)?;
    let body = context.optional_json::<Nothing>(&request, payload, INVALID);
    let hash = body.await?.hash;
    let (service, _) = state.find(&actor, id).await?;
    let caller = actor.clone();
    context
        .once(&request, &actor, hash, move |_| async move {
            service.undo(&caller, id).await?;
            let undone = service.frame().operation(&caller.workspace, id).await?;
            let undone = undone.ok_or_else(Problem::not_found)?;
            let json = OperationJson::new(service.as_ref(), undone)?;
            Ok(Answer::json(StatusCode::OK, &json))
        })
        .await
}
