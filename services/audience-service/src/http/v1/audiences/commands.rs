//! Changing audiences.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use http_kit::operations::accepted;
use http_kit::{Answer, Problem, ProblemBody};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json::{AudienceJson, answer, check_match, name, one_of, path_id, tags};
use crate::{
    application::audience::AudienceChange,
    http::{ApiState, v1::operations::OperationJson},
};

const INVALID: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// New values. Absent members stay as they are.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// New name.
    name: Option<String>,
    /// New labels.
    tags: Option<Vec<String>>,
    /// `active` or `draft`.
    status: Option<String>,
}

/// Changes name, labels or status.
#[utoipa::path(
    patch,
    path = "/audiences/{id}",
    tag = "audiences",
    operation_id = "changeAudience",
    params(
        ("id" = String, Path, description = "`aud_…` or the bare decimal"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` it was read with"),
    ),
    request_body = Change,
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`name_taken`, `audience_deleted`", body = ProblemBody),
        (status = 412, description = "It has changed since", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn change(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let body = state
        .json::<Change>(&request, payload, INVALID)
        .await?
        .value;
    let change = AudienceChange {
        name: body.name.as_deref().map(name).transpose()?,
        tags: body.tags.as_deref().map(tags).transpose()?,
        status: body
            .status
            .as_deref()
            .map(|s| one_of("/status", s))
            .transpose()?,
    };
    let version = check_match(&request, &state.app.find.visible(&actor, id).await?)?;
    let app = state.app.clone();
    let run = async move {
        let changed = app.change.change(&actor, id, version, change).await?;
        Ok(answer(StatusCode::OK, &changed))
    };
    state.change(run).await
}

/// Deletes an audience; it can be restored. Again: no change.
#[utoipa::path(
    delete,
    path = "/audiences/{id}",
    tag = "audiences",
    operation_id = "deleteAudience",
    params(
        ("id" = String, Path, description = "`aud_…` or the bare decimal"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` it was read with"),
    ),
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 412, description = "It has changed since", body = ProblemBody),
    )
)]
pub async fn drop_audience(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let version = check_match(&request, &state.app.find.visible(&actor, id).await?)?;
    let app = state.app.clone();
    let run = async move {
        let dropped = app.change.drop(&actor, id, version, None).await?;
        Ok(answer(StatusCode::OK, &dropped))
    };
    state.change(run).await
}

/// Brings a deleted audience back. Again: no change.
#[utoipa::path(
    post,
    path = "/audiences/{id}/restore",
    tag = "audiences",
    operation_id = "restoreAudience",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal")),
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`name_taken`", body = ProblemBody),
    )
)]
pub async fn restore(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let hash = state
        .optional_json::<Nothing>(&request, payload, INVALID)
        .await?
        .hash;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, hash, move |_ticket| async move {
            let restored = app.change.restore(&caller, id, None).await?;
            Ok(answer(StatusCode::OK, &restored))
        })
        .await
}

/// An empty object.
#[derive(Debug, Default, Deserialize)]
struct Nothing {}

/// A copy to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// Name of the copy; the source's name with ` (copy)` where absent.
    name: Option<String>,
}

/// Copies an audience in the background. The copy shows when it is complete.
#[utoipa::path(
    post,
    path = "/audiences/{id}/duplicate",
    tag = "audiences",
    operation_id = "duplicateAudience",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal")),
    request_body = Copy,
    responses(
        (status = 200, description = "The operation, which ended within the wait", body = OperationJson),
        (status = 202, description = "The operation", body = OperationJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`name_taken`, `audience_deleted`", body = ProblemBody),
    )
)]
pub async fn duplicate(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let body = state
        .optional_json::<Copy>(&request, payload, INVALID)
        .await?;
    let copy = body.value.name.as_deref().map(name).transpose()?;
    let (app, caller) = (state.app.clone(), actor.clone());
    let wait = http_kit::prefer::wait(request.headers());
    state
        .once(&request, &actor, body.hash, move |request_id| async move {
            let started = app.duplicate.execute(&caller, request_id, id, copy).await?;
            accepted(app.operations.as_ref(), &caller, started.operation, wait).await
        })
        .await
}

/// An emptied audience.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClearedJson {
    #[serde(flatten)]
    audience: AudienceJson,
    /// The operation by which it can be undone.
    operation_id: String,
}

/// Empties an audience at once, whatever its size.
#[utoipa::path(
    post,
    path = "/audiences/{id}/clear",
    tag = "audiences",
    operation_id = "clearAudience",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal")),
    responses(
        (status = 200, description = "The audience, empty", body = ClearedJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`audience_deleted`", body = ProblemBody),
    )
)]
pub async fn clear(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let hash = state
        .optional_json::<Nothing>(&request, payload, INVALID)
        .await?
        .hash;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, hash, move |request_id| async move {
            let cleared = app.clear.execute(&caller, request_id, id, None).await?;
            let audience = AudienceJson::from(&cleared.audience);
            let operation_id = cleared.operation.to_string();
            Ok(Answer::json(
                StatusCode::OK,
                &ClearedJson {
                    audience,
                    operation_id,
                },
            ))
        })
        .await
}
