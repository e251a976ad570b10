//! Outcomes of attempts to reach people.

use api_types::outcomes::{Outcomes, RecordedJson, RejectedJson};
use domain::shared::Rejection;
use http_kit::{Answer, ApiResult, Idempotent, JsonBody};

use crate::http::{ApiState, Caller, state::at_most};

http_kit::routes!(ApiState; self::{record});

fn rejected_json(Rejection { index, error }: Rejection) -> RejectedJson {
    RejectedJson {
        index,
        field: error.field,
        code: error.code.into(),
        detail: error.detail,
    }
}

/// Records how attempts to reach people ended. Each is stored once, however often it is reported;
/// items that break a rule are refused one by one.
#[utoipa::path(
    post, path = "/outcomes", tag = "outcomes", operation_id = "recordOutcomes",
    request_body = Outcomes,
    responses(
        (status = 200, description = "What became of them", body = RecordedJson),
        (status = 413, description = "More than 64 MiB or 100,000 items"),
        (status = 422, description = "The request is none of outcomes"),
    ),
)]
pub async fn record(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<Outcomes>>,
) -> ApiResult {
    let items = body.data;
    at_most(caller.item_limit, &items)?;
    let received = items.len();
    once.run(move |request_id| async move {
        let report = caller.app.outcomes.report(&caller.actor, request_id, items);
        let (did, rejected) = report.await?;
        let errors: Vec<_> = rejected.into_iter().map(rejected_json).collect();
        Ok(Answer::ok(&RecordedJson {
            received,
            recorded: did.recorded,
            repeated: did.repeated,
            rejected: errors.len(),
            errors,
        }))
    })
    .await
}
