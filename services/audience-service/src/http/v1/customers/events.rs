//! What customers did.

use chrono::DateTime;
use domain::customer::{CustomerEvent, CustomerId, EventName};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, Query,
    paging::{self, List},
    timestamp,
};
use ports::store::EventFilter;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::json::{IntegerOrText, RefusalJson};
use crate::{
    AppError,
    customer::{EventOutcome, EventResult, MAX_EVENTS},
    http::{Caller, state::at_most},
};

/// Events to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvents {
    /// At most 1,000.
    #[schema(value_type = Vec<EventItem>)]
    data: Vec<Value>,
}

/// Something that a customer did. The customer is named by `customer_id`, else by `external_id` (with
/// `client_id` for one that an import brought), else by `document`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; items are read one by one")]
pub struct EventItem {
    /// Identity in the reporting system; an event is stored once under it.
    #[schema(value_type = Option<IntegerOrText>)]
    id: Option<Value>,
    /// The customer's number.
    customer_id: Option<i64>,
    /// An integer or a text of at most 128 bytes.
    #[schema(value_type = Option<IntegerOrText>)]
    external_id: Option<Value>,
    /// With the `external_id` of a CRM.
    client_id: Option<String>,
    /// In any form that normalises to it.
    document: Option<String>,
    /// What happened: `[a-z0-9_.-]`, up to 64.
    #[schema(example = "order.paid")]
    name: String,
    /// RFC 3339; at most an hour ahead, and not older than events are kept.
    #[schema(example = "2026-03-01T12:00:00.000Z")]
    time: String,
    /// At most 16 KiB and five levels.
    #[schema(value_type = Option<Object>)]
    properties: Option<Map<String, Value>>,
    /// An exact decimal, up to twelve digits before the point and six after it.
    #[schema(value_type = Option<String>, example = "129.90")]
    amount: Option<Value>,
}

/// What became of the events: `received = recorded + repeated + rejected`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct EventsRecordedJson {
    /// Items received.
    received: usize,
    /// New ones.
    recorded: usize,
    /// Reported before under the same id.
    repeated: usize,
    /// Items refused.
    rejected: usize,
    /// One for each item, in order.
    results: Vec<EventResultJson>,
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResultJson {
    /// Its index in the request.
    index: usize,
    /// `recorded`, `repeated` or `rejected`.
    result: &'static str,
    /// Why it was rejected.
    error: Option<RefusalJson>,
}

impl From<Vec<EventOutcome>> for EventsRecordedJson {
    fn from(outcomes: Vec<EventOutcome>) -> Self {
        let mut json = Self {
            received: outcomes.len(),
            ..Self::default()
        };
        for (index, outcome) in outcomes.into_iter().enumerate() {
            *match outcome.result {
                EventResult::Recorded => &mut json.recorded,
                EventResult::Repeated => &mut json.repeated,
                EventResult::Rejected => &mut json.rejected,
            } += 1;
            json.results.push(EventResultJson {
                index,
                result: outcome.result.as_str(),
                error: outcome.refusal.map(RefusalJson::from),
            });
        }
        json
    }
}

/// Records what customers did. An event with an id is stored once, however often it is reported;
/// items that break a rule are refused one by one.
#[utoipa::path(
    post, path = "/events", tag = "customers", operation_id = "recordEvents",
    request_body = NewEvents,
    responses(
        (status = 200, description = "What became of each", body = EventsRecordedJson),
        (status = 413, description = "More than 64 MiB or 1,000 items"),
        (status = 422, description = "The request is none of events"),
    ),
)]
pub async fn record_events(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<NewEvents>>,
) -> ApiResult {
    let items = body.data;
    at_most(caller.item_limit.min(MAX_EVENTS), &items)?;
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let outcomes = app
            .customers
            .events
            .execute(actor, request_id, items)
            .await?;
        Ok(Answer::ok(&EventsRecordedJson::from(outcomes)))
    })
    .await
}

/// Which events of a customer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Of this name.
    name: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An event of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventJson {
    /// Identity in the reporting system.
    id: Option<String>,
    /// The customer's number.
    customer_id: i64,
    /// What happened.
    name: String,
    /// When.
    time: String,
    /// Details.
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// An exact decimal.
    amount: Option<String>,
    /// When it was reported.
    received_at: String,
}

impl From<CustomerEvent> for EventJson {
    fn from(event: CustomerEvent) -> Self {
        Self {
            id: event.key.map(|key| key.to_string()),
            customer_id: event.customer.raw(),
            name: event.name.as_str().to_owned(),
            time: timestamp(event.time),
            properties: event.properties,
            amount: event.amount.map(|amount| amount.to_string()),
            received_at: timestamp(event.received_at),
        }
    }
}

/// Lists what a customer did, newest first.
#[utoipa::path(
    get, path = "/customers/{id}/events", tag = "customers", operation_id = "listCustomerEvents",
    params(Id<CustomerId>, Which),
    responses(
        (status = 200, description = "A page", body = List<EventJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 404, description = "There is no such customer"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list_events(
    caller: Caller,
    Query(which): Query<Which>,
    Id(id): Id<CustomerId>,
) -> ApiResult {
    let limit = paging::limit(which.limit.as_deref())?;
    let name = which.name.as_deref().map(|text| {
        let detail = "1 to 64 of a-z, 0-9, `_`, `.` and `-`";
        EventName::parse(text).ok_or_else(|| AppError::invalid("/name", "invalid_name", detail))
    });
    let cursors = caller.cursors(&format!("customer_events:{}", id.raw()));
    let before: Option<(i64, i64)> = cursors.open(which.cursor.as_deref())?;
    let filter = EventFilter {
        before: before.and_then(|(millis, event)| {
            DateTime::from_timestamp_millis(millis).map(|time| (time, event))
        }),
        name: name.transpose()?,
        limit: i64::from(limit),
    };
    let page = caller
        .app
        .customers
        .read
        .events(&caller.actor, id, filter)
        .await?;
    let position = |last: &CustomerEvent| (last.time.timestamp_millis(), last.id);
    Ok(Answer::ok(&cursors.page(page, position, EventJson::from)))
}
