//! Writing many customers.

use http_kit::{Answer, ApiResult, Idempotent, JsonBody};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::json::{IntegerOrText, RefusalJson};
use crate::{
    customer::{CustomerOutcome, CustomerResult, MAX_CUSTOMERS},
    http::{Caller, state::at_most},
};

/// Customers to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upsert {
    /// At most 10,000.
    #[schema(value_type = Vec<CustomerItemJson>)]
    data: Vec<Value>,
    /// Whether nothing is written unless every item is good.
    #[serde(default)]
    strict: bool,
}

/// A customer as it is sent: named by `id`, else by `external_id` (with `client_id` for one that an
/// import brought), else by `document`. Members that are missing stay as they are, `null` clears;
/// members that are not listed are attributes.
#[derive(ToSchema)]
#[schema(as = CustomerItem)]
#[expect(dead_code, reason = "only described; items are read one by one")]
pub struct CustomerItemJson {
    /// Of a customer that exists.
    id: Option<i64>,
    /// Of the sending system: an integer or a text of at most 128 bytes.
    #[schema(value_type = Option<IntegerOrText>)]
    external_id: Option<Value>,
    /// With the `external_id` of a CRM.
    client_id: Option<String>,
    /// In any form that normalises to it.
    document: Option<String>,
    /// Name.
    name: Option<String>,
    /// Without a country code it is Brazilian.
    phone: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Changed one by one; `null` takes one away.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Map<String, Value>>,
    /// Replace the labels that the API gave.
    tags: Option<Vec<String>>,
    /// By channel `{"status": "granted" | "denied", "source", "at"}`; what was said last counts.
    #[schema(value_type = Option<Object>)]
    consents: Option<Map<String, Value>>,
}

/// What became of the items: `received = created + updated + unchanged + rejected`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct UpsertedJson {
    /// Items received.
    received: usize,
    /// New customers.
    created: usize,
    /// Customers that changed.
    updated: usize,
    /// Items that say what is known.
    unchanged: usize,
    /// Items refused.
    rejected: usize,
    /// One for each item, in order.
    results: Vec<UpsertResultJson>,
}

/// What became of an item.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpsertResultJson {
    /// Its index in the request.
    index: usize,
    /// `created`, `updated`, `unchanged` or `rejected`.
    result: &'static str,
    /// The customer's number, null where it was rejected.
    id: Option<i64>,
    /// Why it was rejected.
    error: Option<RefusalJson>,
}

impl From<Vec<CustomerOutcome>> for UpsertedJson {
    fn from(outcomes: Vec<CustomerOutcome>) -> Self {
        let mut json = Self {
            received: outcomes.len(),
            ..Self::default()
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
                result: outcome.result.as_str(),
                id: outcome.id,
                error: outcome.refusal.map(RefusalJson::from),
            });
        }
        json
    }
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
        Ok(Answer::ok(&UpsertedJson::from(outcomes.await?)))
    })
    .await
}
