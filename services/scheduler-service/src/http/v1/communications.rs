//! `/api/v1/communications`.

use actix_web::http::{StatusCode, header};
use api_types::{
    List,
    communications::{
        CommunicationChange, CommunicationJson, NewCommunication, OccurrenceJson, RecipientJson,
    },
};
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, Recipient, RecipientKey, RecipientStatus, Totals,
    },
    shared::{CommunicationId, one_of},
};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, Problem, Query, etag, etag::IfMatch, paging,
};
use ports::scheduling::{CommunicationFilter, RecipientFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    json::{changed, communication_json, occurrence_json, recipient_json},
    plan,
};
use crate::http::Caller;

fn answer(status: StatusCode, of: &Communication, totals: Option<&Totals>) -> Answer {
    let json = communication_json(of, totals);
    let answer = Answer::json(status, &json).with_header(header::ETAG, etag::strong(of.version));
    let path = format!("/api/v1/communications/{}", of.id);
    match header::HeaderValue::from_str(&path) {
        Ok(path) if status == StatusCode::CREATED => answer.with_header(header::LOCATION, path),
        _ => answer,
    }
}

/// Schedules a communication.
#[utoipa::path(
    post, path = "/communications", tag = "communications", operation_id = "createCommunication",
    request_body = NewCommunication,
    responses(
        (status = 201, description = "It waits for its instant", body = CommunicationJson),
        (status = 422, description = "A rule is broken; nothing is stored"),
    )
)]
pub async fn create(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<NewCommunication>>,
) -> ApiResult {
    let zone = caller
        .cases
        .directory
        .time_zone(&caller.actor.workspace)
        .await?;
    let new = plan::read(body, zone).map_err(Problem::unprocessable)?;
    once.run(move |request_id| async move {
        let create = &caller.cases.create;
        let made = create.execute(&caller.actor, request_id, new).await?;
        Ok(answer(StatusCode::CREATED, &made, None))
    })
    .await
}

/// Which communications.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// In this state
    #[param(value_type = String, required = false)]
    status: Option<String>,
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Communications, newest first.
#[utoipa::path(
    get, path = "/communications", tag = "communications", operation_id = "listCommunications",
    params(ListQuery),
    responses((status = 200, description = "A page of them", body = List<CommunicationJson>))
)]
pub async fn list(caller: Caller, Query(query): Query<ListQuery>) -> ApiResult {
    let limit = paging::limit(query.limit.as_deref())?;
    let state = query.status.as_deref();
    let state = state.map(|text| one_of("/status", text, CommunicationState::ALL));
    let cursors = caller.cursors("communications");
    let before: Option<i64> = cursors.open(query.cursor.as_deref())?;
    let filter = CommunicationFilter {
        state: state.transpose()?,
        before: before.map(CommunicationId::from_raw),
        limit: i64::from(limit),
    };
    let page = caller.cases.read.list(&caller.actor, filter).await?;
    let position = |last: &Communication| last.id.raw();
    let json = |communication: Communication| communication_json(&communication, None);
    Ok(Answer::ok(&cursors.page(page, position, json)))
}

/// One communication, with where its recipients stand.
#[utoipa::path(
    get, path = "/communications/{id}", tag = "communications", operation_id = "getCommunication",
    params(Id<CommunicationId>),
    responses((status = 200, description = "The communication", body = CommunicationJson))
)]
pub async fn get(caller: Caller, Id(id): Id<CommunicationId>) -> ApiResult {
    let (communication, totals) = caller.cases.read.get(&caller.actor, id).await?;
    Ok(answer(StatusCode::OK, &communication, Some(&totals)))
}

/// Cancels a communication that has not been claimed. Again: no change.
#[utoipa::path(
    delete, path = "/communications/{id}", tag = "communications", operation_id = "cancelCommunication",
    params(Id<CommunicationId>),
    responses(
        (status = 200, description = "It is cancelled", body = CommunicationJson),
        (status = 409, description = "`already_dispatched`"),
    )
)]
pub async fn cancel(caller: Caller, Id(id): Id<CommunicationId>) -> ApiResult {
    let run = |caller: Caller| async move {
        let cancelled = caller.cases.change.cancel(&caller.actor, id).await?;
        Ok(answer(StatusCode::OK, &cancelled, None))
    };
    caller.change(run).await
}

/// Changes a communication that has not been claimed: members that are named replace.
#[utoipa::path(
    patch, path = "/communications/{id}", tag = "communications", operation_id = "changeCommunication",
    params(Id<CommunicationId>, IfMatch),
    request_body = CommunicationChange,
    responses(
        (status = 200, description = "The communication", body = CommunicationJson),
        (status = 409, description = "`already_dispatched`"),
        (status = 412, description = "It has changed since"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn change(
    caller: Caller,
    Id(id): Id<CommunicationId>,
    expected: IfMatch,
    JsonBody(change): JsonBody<CommunicationChange>,
) -> ApiResult {
    let (present, _) = caller.cases.read.get(&caller.actor, id).await?;
    expected.check(present.version)?;
    let zone = caller
        .cases
        .directory
        .time_zone(&caller.actor.workspace)
        .await?;
    let new = plan::read(changed(&present, change)?, zone).map_err(Problem::unprocessable)?;
    let run = |caller: Caller| async move {
        let (use_case, version) = (&caller.cases.change, present.version);
        let changed = use_case.plan(&caller.actor, id, version, new).await?;
        Ok(answer(StatusCode::OK, &changed, None))
    };
    caller.change(run).await
}

/// Lets a communication wait until it is resumed. Again: no change.
#[utoipa::path(
    post, path = "/communications/{id}/pause", tag = "communications", operation_id = "pauseCommunication",
    params(Id<CommunicationId>),
    responses(
        (status = 200, description = "It is paused", body = CommunicationJson),
        (status = 409, description = "`already_dispatched`"),
    )
)]
pub async fn pause(
    caller: Caller,
    Id(id): Id<CommunicationId>,
    Idempotent(once, ()): Idempotent<()>,
) -> ApiResult {
    once.run(move |_| async move {
        let paused = caller.cases.change.pause(&caller.actor, id).await?;
        Ok(answer(StatusCode::OK, &paused, None))
    })
    .await
}

/// Lets a paused communication wait for its instant again. Again: no change.
#[utoipa::path(
    post, path = "/communications/{id}/resume", tag = "communications", operation_id = "resumeCommunication",
    params(Id<CommunicationId>),
    responses(
        (status = 200, description = "It waits for its instant", body = CommunicationJson),
        (status = 409, description = "`already_dispatched`"),
    )
)]
pub async fn resume(
    caller: Caller,
    Id(id): Id<CommunicationId>,
    Idempotent(once, ()): Idempotent<()>,
) -> ApiResult {
    once.run(move |_| async move {
        let resumed = caller.cases.change.resume(&caller.actor, id).await?;
        Ok(answer(StatusCode::OK, &resumed, None))
    })
    .await
}

/// Which recipients.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RecipientsQuery {
    /// Of this occurrence; the latest where absent
    #[param(value_type = String, required = false)]
    occurrence: Option<String>,
    /// Standing here
    #[param(value_type = String, required = false)]
    status: Option<String>,
    /// On this channel
    #[param(value_type = String, required = false)]
    channel: Option<String>,
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Recipients of a communication, by channel.
#[utoipa::path(
    get, path = "/communications/{id}/recipients", tag = "communications",
    operation_id = "listRecipients",
    params(Id<CommunicationId>, RecipientsQuery),
    responses((status = 200, description = "A page of them", body = List<RecipientJson>))
)]
pub async fn recipients(
    caller: Caller,
    Id(id): Id<CommunicationId>,
    Query(query): Query<RecipientsQuery>,
) -> ApiResult {
    let limit = paging::limit(query.limit.as_deref())?;
    let latest = 0;
    let occurrence = paging::bounded("occurrence", query.occurrence.as_deref(), latest, u32::MAX)?;
    let status = query.status.as_deref();
    let status = status.map(|text| one_of("/status", text, RecipientStatus::ALL));
    let channel = query.channel.as_deref();
    let channel = channel.map(|text| one_of("/channel", text, Channel::ALL));
    let cursors = caller.cursors(&format!("recipients:{id}"));
    let after: Option<(String, String)> = cursors.open(query.cursor.as_deref())?;
    let invalid = || Problem::bad_request("invalid_cursor", "the cursor is of another list");
    let after = after.map(|(channel, key)| {
        let channel = channel.parse().map_err(|()| invalid())?;
        Ok::<_, Problem>((channel, RecipientKey::parse(&key).map_err(|_| invalid())?))
    });
    let filter = RecipientFilter {
        occurrence: occurrence.into(),
        status: status.transpose()?,
        channel: channel.transpose()?,
        after: after.transpose()?,
        limit: i64::from(limit),
    };
    let page = caller
        .cases
        .read
        .recipients(&caller.actor, id, filter)
        .await?;
    let position = |last: &Recipient| {
        let dispatch = &last.dispatch;
        let key = dispatch.recipient.as_str().to_owned();
        (dispatch.channel.to_string(), key)
    };
    Ok(Answer::ok(&cursors.page(page, position, recipient_json)))
}

/// Which occurrences.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct OccurrencesQuery {
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Each time that a communication was claimed, latest first.
#[utoipa::path(
    get, path = "/communications/{id}/occurrences", tag = "communications",
    operation_id = "listOccurrences",
    params(Id<CommunicationId>, OccurrencesQuery),
    responses((status = 200, description = "A page of them", body = List<OccurrenceJson>))
)]
pub async fn occurrences(
    caller: Caller,
    Id(id): Id<CommunicationId>,
    Query(query): Query<OccurrencesQuery>,
) -> ApiResult {
    let limit = i64::from(paging::limit(query.limit.as_deref())?);
    let cursors = caller.cursors(&format!("occurrences:{id}"));
    let before: Option<i64> = cursors.open(query.cursor.as_deref())?;
    let read = &caller.cases.read;
    let page = read.occurrences(&caller.actor, id, before, limit).await?;
    Ok(Answer::ok(&cursors.page(
        page,
        |last| last.number,
        occurrence_json,
    )))
}
