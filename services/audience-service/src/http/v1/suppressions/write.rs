//! Adding and removing.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use api_types::{
    operations::OperationJson,
    suppressions::{NewSuppressionsBody, SuppressedJson, SuppressionsBody},
};
use domain::{
    shared::{SuppressionId, UploadId, one_of},
    suppression::SuppressionReason,
};
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody, Wait, operations::accepted};
use serde_json::Value;

use super::json::suppressed_json;
use crate::{
    AppError,
    http::{Caller, state::at_most},
    suppression::MAX_SUPPRESSIONS,
};

/// Suppresses people: no communication reaches them, transactional ones included. Of phone, e-mail and document a
/// keyed hash alone is kept; items that break a rule are refused one by one.
#[utoipa::path(
    post, path = "/suppressions", tag = "suppressions", operation_id = "addSuppressions",
    request_body = NewSuppressionsBody,
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end of a file's operation"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key, the same answer"),
    ),
    responses(
        (status = 200, description = "What became of each", body = SuppressedJson),
        (status = 202, description = "Of a file: the operation", body = OperationJson),
        (status = 413, description = "More than 64 MiB or 10,000 items"),
        (status = 422, description = "The request is none of suppressions"),
    ),
)]
pub async fn add(
    caller: Caller,
    Wait(wait): Wait,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<NewSuppressionsBody>>,
) -> ApiResult {
    let asked = Asked::read(body)?;
    if let Asked::Items(items) = &asked {
        at_most(caller.item_limit.min(MAX_SUPPRESSIONS), items)?;
    }
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        match asked {
            Asked::Items(items) => {
                let write = &app.suppressions.write;
                let outcomes = write.add(actor, request_id, items).await?;
                Ok(Answer::ok(&suppressed_json(outcomes)))
            }
            Asked::File(upload, mapping, reason) => {
                let file = &app.suppressions.file;
                let started = file.execute(actor, request_id, upload, mapping.as_ref(), reason);
                accepted(app.operations.as_ref(), actor, started.await?, wait).await
            }
        }
    })
    .await
}

/// Who is to be suppressed.
enum Asked {
    Items(Vec<Value>),
    File(
        UploadId,
        Option<BTreeMap<String, String>>,
        SuppressionReason,
    ),
}

impl Asked {
    fn read(body: NewSuppressionsBody) -> Result<Self, AppError> {
        let of_file = body.mapping.is_some() || body.reason.is_some();
        match (body.suppressions, body.upload_id) {
            (Some(items), None) if !of_file => Ok(Self::Items(items)),
            (None, Some(upload)) => {
                let detail = "not the id of an upload";
                let invalid = |_| AppError::invalid("/upload_id", "invalid_id", detail);
                let upload = upload.parse().map_err(invalid)?;
                let reason = match body.reason.as_deref() {
                    None => SuppressionReason::Manual,
                    Some(text) => one_of("/reason", text, &SuppressionReason::GIVEN)
                        .map_err(|broken| AppError::Invalid(vec![broken]))?,
                };
                Ok(Self::File(upload, body.mapping, reason))
            }
            _ => {
                let detail = "either suppressions, or upload_id with its mapping and reason";
                Err(AppError::invalid("/suppressions", "required", detail))
            }
        }
    }
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
