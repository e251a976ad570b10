//! Recycling: taking people out of an audience by rules.

mod answer;
mod body;

use actix_web::{HttpRequest, dev::Payload};
use api_types::{
    operations::OperationJson,
    recycle::{DryRunJson, RecycleBody},
};
use domain::shared::AudienceId;
use http_kit::{
    Answer, ApiResult, Extract, Id, Idempotent, JsonBody, Problem, Wait, operations::accepted,
};

use crate::{
    http::{ApiState, Caller},
    recycle::RecycleAnswer,
};

http_kit::routes!(ApiState; self::{recycle});

/// Removes people by rules, in place or by copying the others into a new audience; or only says
/// what would be removed (`dry_run`).
#[utoipa::path(
    post, path = "/audiences/{id}/recycle", tag = "recycling", operation_id = "recycleAudience",
    request_body = RecycleBody,
    params(
        Id<AudienceId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key, the same answer"),
    ),
    responses(
        (status = 200, description = "`dry_run`: what would be removed", body = DryRunJson),
        (status = 202, description = "The operation", body = OperationJson),
        (status = 404, description = "There is no such audience"),
        (
            status = 409,
            description = "`plan_stale` (with the new counts), `name_taken`, `audience_deleted`",
        ),
        (status = 413, description = "More documents than allowed inline"),
        (status = 422, description = "A rule of this API is broken"),
    ),
)]
pub async fn recycle(
    caller: Caller,
    Known(id): Known,
    Wait(wait): Wait,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<RecycleBody>>,
) -> ApiResult {
    let sealer = caller.context().sealer.clone();
    let seal = answer::PlanSeal::new(sealer, &caller.actor.workspace, id);
    let settings = caller.app.workspaces.settings(&caller.actor).await?;
    let asked = body::request(body, &seal, caller.item_limit, settings.notation)?;
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        match app.recycle.execute(actor, request_id, id, asked).await? {
            RecycleAnswer::DryRun(dry) => Ok(Answer::ok(&answer::dry_run_json(*dry, &seal)?)),
            RecycleAnswer::Accepted(started) => {
                accepted(app.operations.as_ref(), actor, started.operation, wait).await
            }
        }
    })
    .await
}

/// An audience that there is: looked up before the body is read.
pub struct Known(AudienceId);

impl Extract<Caller> for Known {
    async fn extract(
        caller: &Caller,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<Self, Problem> {
        let Id(id) = Id::extract(caller, request, payload).await?;
        caller.app.find.visible(&caller.actor, id).await?;
        Ok(Self(id))
    }
}
