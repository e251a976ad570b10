//! Writing many customers.

use api_types::customers::{Upsert, UpsertResultJson, UpsertedJson};
use http_kit::{Answer, ApiResult, Idempotent, JsonBody};

use super::json::refusal_json;
use crate::{
    customer::{CustomerOutcome, CustomerResult, MAX_CUSTOMERS},
    http::{Caller, state::at_most},
};

fn upserted_json(outcomes: Vec<CustomerOutcome>) -> UpsertedJson {
    let mut json = UpsertedJson {
        received: outcomes.len(),
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        results: Vec::with_capacity(outcomes.len()),
    };
    for (index, outcome) in outcomes.into_iter().enumerate() {
        *match outcome.result {
            CustomerResult::Created => &mut json.created,
            CustomerResult::Updated => &mut json.updated,
            CustomerResult::Unchanged => &mut json.unchanged,
            CustomerResult::Rejected => &mut json.rejected,
        } += 1;
        json.results.push(UpsertResultJson {
            index,
            result: outcome.result.as_str().into(),
            id: outcome.id,
            error: outcome.refusal.map(refusal_json),
        });
    }
    json
}

/// Writes customers: those that are known are changed, others registered. Items count in their order;
/// those that break a rule are refused one by one.
#[utoipa::path(
    post, path = "/customers", tag = "customers", operation_id = "upsertCustomers",
    request_body = Upsert,
    responses(
        (status = 200, description = "What became of each", body = UpsertedJson),
        (status = 413, description = "More than 64 MiB or 10,000 items"),
        (
            status = 422,
            description = "The request is none of customers; with `strict`, an item breaks a rule",
        ),
    ),
)]
pub async fn upsert(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<Upsert>>,
) -> ApiResult {
    let Upsert { data, strict } = body;
    at_most(caller.item_limit.min(MAX_CUSTOMERS), &data)?;
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let outcomes = app.customers.write.upsert(actor, request_id, data, strict);
        Ok(Answer::ok(&upserted_json(outcomes.await?)))
    })
    .await
}
