//! What customers did.

use api_types::{
    List,
    events::{EventJson, EventResultJson, EventsRecordedJson, NewEvents},
};
use chrono::DateTime;
use domain::customer::{CustomerEvent, CustomerId, EventName};
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody, Query, paging, timestamp};
use ports::store::EventFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::json::refusal_json;
use crate::{
    AppError,
    customer::{EventOutcome, EventResult, MAX_EVENTS},
    http::{Caller, state::at_most},
};

fn recorded_json(outcomes: Vec<EventOutcome>) -> EventsRecordedJson {
    let mut json = EventsRecordedJson {
        received: outcomes.len(),
        recorded: 0,
        repeated: 0,
        rejected: 0,
        results: Vec::with_capacity(outcomes.len()),
    };
    for (index, outcome) in outcomes.into_iter().enumerate() {
        *match outcome.result {
            EventResult::Recorded => &mut json.recorded,
            EventResult::Repeated => &mut json.repeated,
            EventResult::Rejected => &mut json.rejected,
        } += 1;
        json.results.push(EventResultJson {
            index,
            result: outcome.result.as_str().into(),
            error: outcome.refusal.map(refusal_json),
        });
    }
    json
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
        Ok(Answer::ok(&recorded_json(outcomes)))
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

fn event_json(event: CustomerEvent) -> EventJson {
    EventJson {
        id: event.key.map(|key| key.to_string()),
        customer_id: event.customer.raw(),
        name: event.name.as_str().to_owned(),
        time: timestamp(event.time),
        properties: event.properties,
        amount: event.amount.map(|amount| amount.to_string()),
        received_at: timestamp(event.received_at),
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
    Ok(Answer::ok(&cursors.page(page, position, event_json)))
}
