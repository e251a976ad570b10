//! Outcomes of attempts to reach people.

use domain::shared::Rejection;
use http_kit::{Answer, ApiResult, Idempotent, JsonBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::customers::IntegerOrText;
use crate::http::{ApiState, Caller, state::at_most};

http_kit::routes!(ApiState; self::{record});

/// How an attempt to reach a person ended.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; items are read one by one")]
pub struct OutcomeItem {
    /// Of the person, in any form that normalises to it.
    document: String,
    /// `email`, `sms`, `whatsapp`, `push`, `voice` or another: `[a-z0-9_-]`, up to 32.
    #[schema(example = "voice")]
    channel: String,
    /// `answered`, `no_answer`, `busy`, `failed`, `converted`, `invalid_number` or `opted_out`.
    #[schema(example = "no_answer")]
    outcome: String,
    /// RFC 3339, at most a day ahead of now.
    #[schema(example = "2026-03-01T12:00:00.000Z")]
    occurred_at: String,
    /// Identity in the reporting system: an integer or a text of up to 255 characters.
    #[schema(value_type = Option<IntegerOrText>)]
    external_id: Option<Value>,
}

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

impl From<Rejection> for RejectedJson {
    fn from(Rejection { index, error }: Rejection) -> Self {
        Self {
            index,
            field: error.field,
            code: error.code,
            detail: error.detail,
        }
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
        let errors: Vec<_> = rejected.into_iter().map(RejectedJson::from).collect();
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
