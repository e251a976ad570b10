//! Outcomes of attempts to reach people.

mod item;

use http_kit::{Answer, ApiResult, Idempotent, JsonBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    application::outcome::OutcomesRecorded,
    http::{ApiState, Caller, state::at_most},
};
pub use item::OutcomeItem;

http_kit::routes!(ApiState; self::{record});

/// Reported outcomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// At most 100,000.
    #[schema(value_type = Vec<OutcomeItem>)]
    data: Vec<Value>,
}

/// What became of them: `received = recorded + repeated + rejected`.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedJson {
    /// Items received.
    received: usize,
    /// New ones.
    recorded: usize,
    /// Reported before: the same `external_id`, or else document, channel and time.
    repeated: usize,
    /// Items refused.
    rejected: usize,
    /// Why, in order.
    errors: Vec<RejectedJson>,
}

/// Why an item was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedJson {
    /// Its index in the request.
    index: usize,
    /// The member at fault, `""` for the item.
    field: String,
    /// Stable code.
    code: &'static str,
    /// For a person.
    detail: String,
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
    once.run(move |request_id| async move {
        let now = caller.app.clock.now();
        let received = items.len();
        let mut records = Vec::with_capacity(received);
        let mut errors = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item::parse(item, now) {
                Ok(record) => records.push(record),
                Err(item::Broken {
                    field,
                    code,
                    detail,
                }) => errors.push(RejectedJson {
                    index,
                    field,
                    code,
                    detail,
                }),
            }
        }
        let recorded = caller
            .app
            .outcomes
            .record(&caller.actor, request_id, records);
        let OutcomesRecorded { recorded, repeated } = recorded.await?;
        Ok(Answer::ok(&RecordedJson {
            received,
            recorded,
            repeated,
            rejected: errors.len(),
            errors,
        }))
    })
    .await
}
