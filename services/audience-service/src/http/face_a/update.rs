//! Status and refresh of audiences.

use domain::{
    audience::AudienceStatus,
    operation::{Operation, OperationKind, OperationState},
    shared::{AudienceId, one_of},
};
use http_kit::{Answer, ApiResult, Id, JsonBody, Problem};
use ports::store::OperationFilter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Locale,
    body::id,
    json::{Record, time},
    refused,
};
use crate::{AppError, http::Caller};

/// What is to be done.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = GatewayUpdate)]
pub enum Update {
    /// Makes it active, or a draft.
    #[serde(rename = "update-status")]
    Status { id: String, status: String },
    /// Resolves its members.
    #[serde(rename = "update-now")]
    Now { id: String },
    /// Says how far that is.
    #[serde(rename = "check-update-now-status")]
    Check { id: String },
}

/// A refresh that has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayRefresh)]
struct Begun {
    id: String,
    status: &'static str,
    operation_id: String,
}

/// How far a refresh is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayRefreshStatus)]
struct Progress {
    id: String,
    /// `in_progress`, `completed`, `failed`, or `idle` where there was none.
    status: &'static str,
    operation_id: Option<String>,
    progress: Done,
    total_customers: i64,
    updated_at: String,
    error: Option<String>,
}

/// Members that are resolved, and how many there will be.
#[derive(Serialize, ToSchema)]
#[schema(as = GatewayDone)]
struct Done {
    done: i64,
    total: Option<i64>,
}

/// Changes the status of an audience, resolves its members, or says how far that is, as `type` says.
#[utoipa::path(
    put, path = "/{locale}/api/audience", tag = "audience", operation_id = "updateGatewayAudience",
    request_body = Update,
    params(("locale" = String, Path, description = "A language, such as `es` or `pt-BR`")),
    responses(
        (status = 200, description = "The audience, or how far it is", body = Record),
        (status = 400, description = "A rule is broken, or the conditions are incomplete"),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "It is in use"),
    ),
)]
pub async fn put(
    caller: Caller,
    Id(Locale): Id<Locale>,
    JsonBody(update): JsonBody<Update, 400>,
) -> ApiResult {
    let run = |caller: Caller| async move {
        match update {
            Update::Status { id: named, status } => publish(&caller, id(&named)?, &status).await,
            Update::Now { id: named } => refresh(&caller, id(&named)?).await,
            Update::Check { id: named } => progress(&caller, id(&named)?).await,
        }
    };
    caller.change(run).await
}

async fn publish(caller: &Caller, id: AudienceId, status: &str) -> ApiResult {
    let status = one_of("/status", status, AudienceStatus::CHOSEN);
    let status = status.map_err(|violation| refused(AppError::Invalid(vec![violation])))?;
    let (define, actor) = (&caller.app.segments.define, &caller.actor);
    let published = define.publish(actor, caller.request_id(), id, status).await;
    let published = published.map_err(|error| match error {
        AppError::Conflict {
            code: "audience_deleted",
            ..
        } => Problem::not_found(),
        error => refused(error),
    })?;
    Ok(Answer::ok(&Record::from(&published.audience)))
}

async fn refresh(caller: &Caller, id: AudienceId) -> ApiResult {
    let (refresh, actor) = (&caller.app.segments.refresh, &caller.actor);
    let begun = refresh.requested(actor, caller.request_id(), id).await;
    let begun = begun.map_err(|error| match error {
        AppError::Conflict {
            code: "audience_deleted",
            ..
        } => Problem::not_found(),
        error => refused(error),
    })?;
    Ok(Answer::ok(&Begun {
        id: id.to_string(),
        status: "in_progress",
        operation_id: begun.operation.to_string(),
    }))
}

async fn progress(caller: &Caller, id: AudienceId) -> ApiResult {
    let (app, actor) = (&caller.app, &caller.actor);
    // The operation first: what it has stored by then is in the audience.
    let filter = OperationFilter {
        kind: Some(OperationKind::Refresh),
        audience: Some(id),
        limit: 1,
        ..OperationFilter::default()
    };
    let found = app.operations.find.list(actor, filter).await;
    let last: Option<Operation> = found.map_err(refused)?.0.into_iter().next();
    let audience = app.find.visible(actor, id).await.map_err(refused)?;
    if audience.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    let status = match last.as_ref().map(|operation| operation.state) {
        None => "idle",
        Some(OperationState::Succeeded) => "completed",
        Some(OperationState::Failed | OperationState::Cancelled) => "failed",
        Some(_) => "in_progress",
    };
    let error = last.as_ref().and_then(|operation| operation.error.as_ref());
    let progress = last.as_ref().map(|operation| operation.progress);
    Ok(Answer::ok(&Progress {
        id: id.to_string(),
        status,
        operation_id: last.as_ref().map(|operation| operation.id.to_string()),
        progress: Done {
            done: progress.map_or(0, |progress| progress.done),
            total: progress.and_then(|progress| progress.total),
        },
        total_customers: audience.contacts,
        updated_at: time(audience.updated_at),
        error: error.map(|error| error.detail.clone()),
    }))
}
