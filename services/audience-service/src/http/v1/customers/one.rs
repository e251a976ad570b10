//! One customer.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Payload},
};
use domain::{
    contact::ItemError,
    customer::{Channel, CustomerId, CustomerPatch, parse_consent, parse_customer_patch},
};
use http_kit::{Problem, ProblemBody, etag};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    json::{CustomerJson, answer, path_id},
    upsert::CustomerItemJson,
};
use crate::{
    application::{Actor, AppError},
    http::{ApiState, v1::audiences::tags},
};

const INVALID: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// Reads a customer.
#[utoipa::path(
    get,
    path = "/customers/{id}",
    tag = "customers",
    operation_id = "readCustomer",
    params(("id" = i64, Path, description = "Number in the workspace")),
    responses(
        (status = 200, description = "The customer", body = CustomerJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn read(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let customer = state
        .app
        .customers
        .read
        .one(&actor, path_id(&path)?)
        .await?;
    Ok(answer(customer).into())
}

/// Changes a customer: members that are missing stay as they are, `null` clears, members that are not
/// listed are attributes. Who it is cannot change.
#[utoipa::path(
    patch,
    path = "/customers/{id}",
    tag = "customers",
    operation_id = "changeCustomer",
    params(
        ("id" = i64, Path, description = "Number in the workspace"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` it was read with"),
    ),
    request_body = CustomerItemJson,
    responses(
        (status = 200, description = "The customer", body = CustomerJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 412, description = "It has changed since", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn change(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let body = state.json::<Map<String, Value>>(&request, payload, INVALID);
    let now = state.app.clock.now();
    let patch = parse_customer_patch(body.await?.value, now).map_err(invalid)?;
    apply(&state, &request, actor, id, patch).await
}

/// Labels to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTags {
    /// At most 50, of 1 to 64 characters.
    tags: Vec<String>,
}

/// Replaces the labels that the API gave to a customer. Those of a CRM are the CRM's.
#[utoipa::path(
    put,
    path = "/customers/{id}/tags",
    tag = "customers",
    operation_id = "replaceCustomerTags",
    params(
        ("id" = i64, Path, description = "Number in the workspace"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` it was read with"),
    ),
    request_body = NewTags,
    responses(
        (status = 200, description = "The customer", body = CustomerJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 412, description = "It has changed since", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn replace_tags(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let body = state.json::<NewTags>(&request, payload, INVALID).await?;
    let patch = CustomerPatch {
        tags: Some(tags(&body.value.tags)?),
        ..CustomerPatch::default()
    };
    apply(&state, &request, actor, id, patch).await
}

/// What a person said.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; it is read as items are")]
pub struct NewConsent {
    /// `granted` or `denied`.
    status: String,
    /// Where it was said, 1 to 64 characters; `api` where it is missing.
    source: Option<String>,
    /// When it was said; now where it is missing.
    at: Option<String>,
}

/// Records what a customer said about a channel. What was said later counts, whenever it is reported;
/// of two things said at once, the denial. No import changes it.
#[utoipa::path(
    put,
    path = "/customers/{id}/consents/{channel}",
    tag = "customers",
    operation_id = "recordConsent",
    params(
        ("id" = i64, Path, description = "Number in the workspace"),
        ("channel" = String, Path, description = "`email`, `sms`, `whatsapp`, `push` or `voice`"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` it was read with"),
    ),
    request_body = NewConsent,
    responses(
        (status = 200, description = "The customer, with what counts", body = CustomerJson),
        (status = 404, description = "There is no such customer or channel", body = ProblemBody),
        (status = 412, description = "It has changed since", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn record_consent(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, channel) = path.into_inner();
    let id = path_id(&id)?;
    let channel: Channel = channel.parse().map_err(|()| Problem::not_found())?;
    let body = state.json::<Map<String, Value>>(&request, payload, INVALID);
    let said = Value::Object(body.await?.value);
    let now = state.app.clock.now();
    let consent = parse_consent("", said, now).map_err(invalid)?;
    let patch = CustomerPatch {
        consents: vec![(channel, consent)],
        ..CustomerPatch::default()
    };
    apply(&state, &request, actor, id, patch).await
}

/// Changes a customer that is as the request expects it to be.
async fn apply(
    state: &Data<ApiState>,
    request: &HttpRequest,
    actor: Actor,
    id: CustomerId,
    patch: CustomerPatch,
) -> Result<HttpResponse, Problem> {
    let known = state.app.customers.read.one(&actor, id).await?;
    etag::IfMatch::from_headers(request.headers()).check(known.version)?;
    let asked = request.headers().contains_key(header::IF_MATCH);
    let version = asked.then_some(known.version);
    let app = state.app.clone();
    let run = async move {
        let changed = app
            .customers
            .write
            .change(&actor, id, version, patch)
            .await?;
        Ok(answer(changed))
    };
    state.change(run).await
}

fn invalid(error: ItemError) -> Problem {
    let pointer = match error.field.as_str() {
        "" => String::new(),
        field => format!("/{field}"),
    };
    AppError::invalid(pointer, error.code, error.detail).into()
}
