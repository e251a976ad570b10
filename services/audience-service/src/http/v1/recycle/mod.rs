//! Recycling: taking people out of an audience by rules.

mod answer;
mod body;
mod rules;

pub use answer::DryRunJson;
pub use body::RecycleBody;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode},
    web::{self, Data, Path, Payload},
};
use domain::shared::AudienceId;
use http_kit::{Answer, Problem, ProblemBody, prefer, resource};

use http_kit::operations::accepted;

use super::operations::OperationJson;
use crate::{application::recycle::RecycleAnswer, http::ApiState};

/// Registers the path below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(resource(
        "/audiences/{id}/recycle",
        [(Method::POST, web::to(recycle))],
    ));
}

/// Removes people by rules, in place or by copying the others into a new audience; or only says
/// what would be removed (`dry_run`).
#[utoipa::path(
    post,
    path = "/audiences/{id}/recycle",
    tag = "recycling",
    operation_id = "recycleAudience",
    params(
        ("id" = String, Path, description = "`aud_…` or the bare decimal"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key, the same answer"),
    ),
    request_body = RecycleBody,
    responses(
        (status = 200, description = "`dry_run`: what would be removed", body = DryRunJson),
        (status = 202, description = "The operation", body = OperationJson),
        (status = 404, description = "There is no such audience", body = ProblemBody),
        (
            status = 409,
            description = "`plan_stale` (with the new counts), `name_taken`, `audience_deleted`",
            body = ProblemBody
        ),
        (status = 413, description = "More documents than allowed inline", body = ProblemBody),
        (status = 422, description = "A rule of this API is broken", body = ProblemBody),
    )
)]
pub async fn recycle(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id: AudienceId = path.parse().map_err(|_| Problem::not_found())?;
    state.app.find.visible(&actor, id).await?;
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    let body = state
        .json::<RecycleBody>(&request, payload, invalid)
        .await?;
    let seal = answer::PlanSeal::new(state.sealer.clone(), &actor.workspace, id);
    let asked = body.value.into_request(&seal, state.item_limit)?;
    let (app, caller) = (state.app.clone(), actor.clone());
    let wait = prefer::wait(request.headers());
    state
        .once(&request, &actor, body.hash, move |request_id| async move {
            match app.recycle.execute(&caller, request_id, id, asked).await? {
                RecycleAnswer::DryRun(dry) => {
                    Ok(Answer::json(StatusCode::OK, &DryRunJson::new(*dry, &seal)))
                }
                RecycleAnswer::Accepted(started) => {
                    accepted(app.operations.as_ref(), &caller, started.operation, wait).await
                }
            }
        })
        .await
}
