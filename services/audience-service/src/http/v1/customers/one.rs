//! One customer.

use api_types::customers::{CustomerItemJson, CustomerJson, NewConsent, NewTags};
use domain::{
    customer::{Channel, CustomerId, CustomerPatch, parse_consent, parse_customer_patch},
    shared::ItemError,
};
use http_kit::{ApiResult, Id, Ids, JsonBody, Problem, etag::IfMatch};
use serde_json::{Map, Value};

use super::json::answer;
use crate::{
    AppError,
    http::{Caller, v1::audiences::tags},
};

/// Reads a customer.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers", operation_id = "readCustomer",
    params(Id<CustomerId>),
    responses((status = 200, description = "The customer", body = CustomerJson)),
)]
pub async fn read(caller: Caller, Id(id): Id<CustomerId>) -> ApiResult {
    Ok(answer(
        caller.app.customers.read.one(&caller.actor, id).await?,
    ))
}

/// Changes a customer: members that are missing stay as they are, `null` clears, members that are not
/// listed are attributes. Who it is cannot change.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", operation_id = "changeCustomer",
    request_body = CustomerItemJson,
    params(Id<CustomerId>, IfMatch),
    responses(
        (status = 200, description = "The customer", body = CustomerJson),
        (status = 412, description = "It has changed since"),
    ),
)]
pub async fn change(
    caller: Caller,
    Id(id): Id<CustomerId>,
    condition: IfMatch,
    JsonBody(members): JsonBody<Map<String, Value>>,
) -> ApiResult {
    let now = caller.app.clock.now();
    let patch = parse_customer_patch(members, now).map_err(invalid)?;
    apply(caller, condition, id, patch).await
}

/// Replaces the labels that the API gave to a customer. Those of a CRM are the CRM's.
#[utoipa::path(
    put, path = "/customers/{id}/tags", tag = "customers", operation_id = "replaceCustomerTags",
    request_body = NewTags,
    params(Id<CustomerId>, IfMatch),
    responses(
        (status = 200, description = "The customer", body = CustomerJson),
        (status = 412, description = "It has changed since"),
    ),
)]
pub async fn replace_tags(
    caller: Caller,
    Id(id): Id<CustomerId>,
    condition: IfMatch,
    JsonBody(body): JsonBody<NewTags>,
) -> ApiResult {
    let patch = CustomerPatch {
        tags: Some(tags(&body.tags)?),
        ..CustomerPatch::default()
    };
    apply(caller, condition, id, patch).await
}

/// Records what a customer said about a channel. What was said later counts, whenever it is reported;
/// of two things said at once, the denial. No import changes it.
#[utoipa::path(
    put, path = "/customers/{id}/consents/{channel}", tag = "customers",
    operation_id = "recordConsent", request_body = NewConsent,
    params(
        Id<CustomerId>,
        ("channel" = String, Path, description = "`email`, `sms`, `whatsapp`, `push` or `voice`"),
        IfMatch,
    ),
    responses(
        (status = 200, description = "The customer, with what counts", body = CustomerJson),
        (status = 404, description = "There is no such customer or channel"),
        (status = 412, description = "It has changed since"),
    ),
)]
pub async fn record_consent(
    caller: Caller,
    Ids(id, channel): Ids<CustomerId, Channel>,
    condition: IfMatch,
    JsonBody(said): JsonBody<Map<String, Value>>,
) -> ApiResult {
    let now = caller.app.clock.now();
    let consent = parse_consent("", Value::Object(said), now).map_err(invalid)?;
    let patch = CustomerPatch {
        consents: vec![(channel, consent)],
        ..CustomerPatch::default()
    };
    apply(caller, condition, id, patch).await
}

/// Changes a customer that is as the request expects it to be.
async fn apply(
    caller: Caller,
    condition: IfMatch,
    id: CustomerId,
    patch: CustomerPatch,
) -> ApiResult {
    let known = caller.app.customers.read.one(&caller.actor, id).await?;
    let version = condition.expect(known.version)?;
    let run = |caller: Caller| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        Ok(answer(
            app.customers
                .write
                .change(actor, id, version, patch)
                .await?,
        ))
    };
    caller.change(run).await
}

fn invalid(error: ItemError) -> Problem {
    let pointer = match error.field.as_str() {
        "" => String::new(),
        field => format!("/{field}"),
    };
    AppError::invalid(pointer, error.code, error.detail).into()
}
