//! Scheduling, consulting and cancelling.

use actix_web::http::{StatusCode, header};
use domain::shared::CommunicationId;
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody, Problem, Query, paging};
use kernel::AppError;
use ports::scheduling::CommunicationFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    answer::{Agendamento, agendamento},
    body::{self, Scheduled},
};
use crate::http::Caller;

/// This face answers 400 to broken rules, and names its own members.
fn refused(error: AppError) -> Problem {
    let error = match error {
        AppError::Invalid(broken) => {
            AppError::Invalid(broken.into_iter().map(body::renamed).collect())
        }
        error => error,
    };
    Problem::of(error, StatusCode::BAD_REQUEST)
}

/// Schedules a message.
#[utoipa::path(
    post, path = "/agendamento", tag = "agendamento", operation_id = "agendar",
    request_body = Scheduled,
    responses(
        (status = 201, description = "It waits for its time", body = Agendamento),
        (status = 400, description = "A rule is broken; nothing is stored"),
    )
)]
pub async fn schedule(
    caller: Caller,
    Idempotent(once, JsonBody(sent)): Idempotent<JsonBody<Scheduled, 400>>,
) -> ApiResult {
    let zone = caller
        .cases
        .directory
        .time_zone(&caller.actor.workspace)
        .await?;
    let new = body::read(sent, zone);
    let new = new.map_err(|broken| Problem::invalid(StatusCode::BAD_REQUEST, broken))?;
    once.run(move |request_id| async move {
        let create = &caller.cases.create;
        let made = create.execute(&caller.actor, request_id, new).await;
        let made = made.map_err(refused)?;
        Ok(Answer::json(StatusCode::CREATED, &agendamento(&made, None)))
    })
    .await
}

/// Which ones.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// From the `Link` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Scheduled messages, newest first; the next page is in `Link`.
#[utoipa::path(
    get, path = "/agendamento", tag = "agendamento", operation_id = "listarAgendamentos",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of them", body = [Agendamento]),
        (status = 400, description = "A parameter is none"),
    )
)]
pub async fn list(caller: Caller, Query(query): Query<ListQuery>) -> ApiResult {
    let bad = |broken| Problem::invalid(StatusCode::BAD_REQUEST, vec![broken]);
    let limit = paging::limit(query.limit.as_deref()).map_err(bad)?;
    let cursors = caller.cursors("agendamento");
    let before: Option<i64> = cursors.open(query.cursor.as_deref())?;
    let filter = CommunicationFilter {
        state: None,
        before: before.map(CommunicationId::from_raw),
        limit: i64::from(limit),
    };
    let (found, more) = caller.cases.read.list(&caller.actor, filter).await?;
    let next = cursors.next(&found, more, |last| last.id.raw());
    let all: Vec<Agendamento> = found.iter().map(|one| agendamento(one, None)).collect();
    let answer = Answer::ok(&all);
    let link = next.map(|next| format!("</agendamento?limit={limit}&cursor={next}>; rel=\"next\""));
    let link = link.and_then(|link| header::HeaderValue::from_str(&link).ok());
    Ok(match link {
        Some(link) => answer.with_header(header::LINK, link),
        None => answer,
    })
}

/// One scheduled message, and where its recipients stand.
#[utoipa::path(
    get, path = "/agendamento/{id}", tag = "agendamento", operation_id = "consultarAgendamento",
    params(Id<CommunicationId>),
    responses((status = 200, description = "It", body = Agendamento))
)]
pub async fn consult(caller: Caller, Id(id): Id<CommunicationId>) -> ApiResult {
    let (communication, totals) = caller.cases.read.get(&caller.actor, id).await?;
    Ok(Answer::ok(&agendamento(&communication, Some(&totals))))
}

/// Cancels a scheduled message. What is being sent stays as it is.
#[utoipa::path(
    delete, path = "/agendamento/{id}", tag = "agendamento", operation_id = "cancelarAgendamento",
    params(Id<CommunicationId>),
    responses((status = 204, description = "It is cancelled, was before, or is being sent"))
)]
pub async fn cancel(caller: Caller, Id(id): Id<CommunicationId>) -> ApiResult {
    let run = |caller: Caller| async move {
        match caller.cases.change.cancel(&caller.actor, id).await {
            Ok(_) | Err(AppError::Conflict { .. }) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
            Err(error) => Err(error.into()),
        }
    };
    caller.change(run).await
}
