//! Adding and removing.

use actix_web::http::StatusCode;
use api_types::suppressions::{SuppressedJson, SuppressionsBody};
use domain::shared::SuppressionId;
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody};

use super::json::suppressed_json;
use crate::{
    http::{Caller, state::at_most},
    suppression::MAX_SUPPRESSIONS,
};

/// Suppresses people: no communication reaches them, transactional ones included. Of phone, e-mail and document a
/// keyed hash alone is kept; items that break a rule are refused one by one.
#[utoipa::path(
    post, path = "/suppressions", tag = "suppressions", operation_id = "addSuppressions",
    request_body = SuppressionsBody,
    responses(
        (status = 200, description = "What became of each", body = SuppressedJson),
        (status = 413, description = "More than 64 MiB or 10,000 items"),
        (status = 422, description = "The request is none of suppressions"),
    ),
)]
pub async fn add(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<SuppressionsBody>>,
) -> ApiResult {
    let items = body.suppressions;
    at_most(caller.item_limit.min(MAX_SUPPRESSIONS), &items)?;
    once.run(move |request_id| async move {
        let write = &caller.app.suppressions.write;
        let outcomes = write.add(&caller.actor, request_id, items).await?;
        Ok(Answer::ok(&suppressed_json(outcomes)))
    })
    .await
}

/// Takes suppressions of people back. Who was erased stays suppressed: such an item is refused with `erased`.
#[utoipa::path(
    delete, path = "/suppressions", tag = "suppressions", operation_id = "removeSuppressions",
    request_body = SuppressionsBody,
    responses(
        (status = 200, description = "What became of each", body = SuppressedJson),
        (status = 413, description = "More than 64 MiB or 10,000 items"),
        (status = 422, description = "The request is none of suppressions"),
    ),
)]
pub async fn remove(caller: Caller, JsonBody(body): JsonBody<SuppressionsBody>) -> ApiResult {
    let items = body.suppressions;
    at_most(caller.item_limit.min(MAX_SUPPRESSIONS), &items)?;
    let run = |caller: Caller| async move {
        let write = &caller.app.suppressions.write;
        let outcomes = write.remove(&caller.actor, items).await?;
        Ok(Answer::ok(&suppressed_json(outcomes)))
    };
    caller.change(run).await
}

/// Takes one suppression back.
#[utoipa::path(
    delete, path = "/suppressions/{id}", tag = "suppressions", operation_id = "removeSuppression",
    params(Id<SuppressionId>),
    responses(
        (status = 204, description = "It is suppressed no more"),
        (status = 404, description = "There is no such suppression"),
        (status = 409, description = "`erased`: the person was erased"),
    ),
)]
pub async fn remove_one(caller: Caller, Id(id): Id<SuppressionId>) -> ApiResult {
    let run = |caller: Caller| async move {
        let write = &caller.app.suppressions.write;
        write.remove_one(&caller.actor, id).await?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    };
    caller.change(run).await
}
