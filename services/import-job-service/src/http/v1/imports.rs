//! `/api/v1/imports`: runs.

use std::time::Duration;

use api_types::{
    List,
    imports::{RunJson, StartImport},
};
use domain::{
    importing::ClientSlug,
    operation::OperationState,
    shared::{ClientId, OperationId, one_of},
};
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody, Problem, Query, Wait, paging};
use kernel::AppError;
use ports::importing::{ImportKind, Run, RunFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{broken, json::run_json};
use crate::http::Caller;

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Of this client
    #[param(value_type = String, required = false)]
    client_id: Option<String>,
    /// `tickets` or `contacts`
    #[param(value_type = String, required = false)]
    import: Option<String>,
    /// In this state
    #[param(value_type = String, required = false)]
    state: Option<String>,
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

fn kind(pointer: &str, text: &str) -> Result<ImportKind, Problem> {
    let unknown = || broken(pointer, "unknown_import", "must be tickets or contacts");
    ImportKind::parse(text).ok_or_else(unknown)
}

/// 202 with where to look, or, after waiting as asked, the end.
async fn followed(caller: &Caller, run: Run, wait: Option<Duration>) -> ApiResult {
    let (id, control) = (run.operation.id, &*caller.cases.control);
    let path = format!("/api/v1/imports/{id}");
    let show = |operation| Ok(run_json(control, Run { operation, ..run })?);
    http_kit::operations::answer(control, &caller.actor, id, &path, wait, show).await
}

async fn followed_by_id(caller: &Caller, id: OperationId, wait: Option<Duration>) -> ApiResult {
    let run = caller.cases.runs.get(&caller.actor, id).await?;
    followed(caller, run, wait).await
}

/// The client that a body names.
async fn named(caller: &Caller, body: &StartImport) -> Result<ClientId, Problem> {
    let missing = || broken("/client_id", "client_unknown", "there is no such client");
    let (clients, actor) = (&caller.cases.clients, &caller.actor);
    match (&body.client_id, &body.client_slug) {
        (Some(id), None) => {
            let id = id.parse().map_err(|_| missing())?;
            match clients.get(actor, id).await {
                Ok(client) => Ok(client.id),
                Err(AppError::NotFound) => Err(missing()),
                Err(error) => Err(error.into()),
            }
        }
        (None, Some(slug)) => {
            let slug = ClientSlug::parse(slug).map_err(|_| missing())?;
            let (found, _) = clients.list(actor, Some(&slug), None, 1).await?;
            found.first().map(|client| client.id).ok_or_else(missing)
        }
        _ => Err(broken(
            "/client_id",
            "missing",
            "name the client by either client_id or client_slug",
        )),
    }
}

/// Begins a run, or joins the one of that client and kind that is live.
#[utoipa::path(
    post, path = "/imports", tag = "imports", operation_id = "startImport",
    request_body = StartImport,
    params(("Prefer" = Option<String>, Header, description = "`wait=N`, up to 60 seconds")),
    responses(
        (status = 200, description = "The run, which ended within the wait", body = RunJson),
        (status = 202, description = "The run", body = RunJson),
        (status = 409, description = "`client_inactive`"),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn start(
    caller: Caller,
    Wait(wait): Wait,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<StartImport>>,
) -> ApiResult {
    let kind = kind("/import", &body.import)?;
    let client = named(&caller, &body).await?;
    once.run(move |request_id| async move {
        let start = &caller.cases.start_run;
        let run = start
            .execute(&caller.actor, request_id, client, kind)
            .await?;
        followed(&caller, run, wait).await
    })
    .await
}

/// Runs, newest first.
#[utoipa::path(
    get, path = "/imports", tag = "imports", operation_id = "listImports",
    params(ListQuery),
    responses((status = 200, description = "A page of runs", body = List<RunJson>))
)]
pub async fn list(caller: Caller, Query(query): Query<ListQuery>) -> ApiResult {
    let limit = paging::limit(query.limit.as_deref())?;
    let client = query.client_id.as_deref().map(str::parse).transpose();
    let client =
        client.map_err(|_| broken("/client_id", "invalid_id", "not the id of a client"))?;
    let state = query.state.as_deref();
    let state = state.map(|text| one_of("/state", text, OperationState::ALL));
    let import = query.import.as_deref();
    let import = import.map(|text| kind("/import", text)).transpose()?;
    let cursors = caller.cursors("imports");
    let before: Option<i64> = cursors.open(query.cursor.as_deref())?;
    let filter = RunFilter {
        client,
        kind: import,
        state: state.transpose()?,
        before: before.map(OperationId::from_raw),
        limit: i64::from(limit),
    };
    let (runs, more) = caller.cases.runs.list(&caller.actor, filter).await?;
    let next_cursor = cursors.next(&runs, more, |last| last.operation.id.raw());
    let json = |run| run_json(&caller.cases.control, run);
    let data = runs.into_iter().map(json).collect::<Result<_, _>>()?;
    Ok(Answer::ok(&List { data, next_cursor }))
}

/// One run.
#[utoipa::path(
    get, path = "/imports/{id}", tag = "imports", operation_id = "getImport",
    params(Id<OperationId>),
    responses((status = 200, description = "The run", body = RunJson))
)]
pub async fn get(caller: Caller, Id(id): Id<OperationId>) -> ApiResult {
    let run = caller.cases.runs.get(&caller.actor, id).await?;
    Ok(Answer::ok(&run_json(&caller.cases.control, run)?))
}

/// Asks a run to stop. What it stored stays.
#[utoipa::path(
    post, path = "/imports/{id}/cancel", tag = "imports", operation_id = "cancelImport",
    params(Id<OperationId>),
    responses(
        (status = 200, description = "The run, which ended within the wait", body = RunJson),
        (status = 202, description = "The run", body = RunJson),
        (status = 409, description = "`operation_ended`"),
    )
)]
pub async fn cancel(
    caller: Caller,
    Id(id): Id<OperationId>,
    Wait(wait): Wait,
    Idempotent(once, ()): Idempotent<()>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let control = &*caller.cases.control;
        operations::cancel(control, &caller.actor, request_id, id).await?;
        followed_by_id(&caller, id, wait).await
    })
    .await
}

/// Puts a failed or cancelled run back into the queue; it goes on from its checkpoint.
#[utoipa::path(
    post, path = "/imports/{id}/retry", tag = "imports", operation_id = "retryImport",
    params(Id<OperationId>),
    responses(
        (status = 200, description = "The run, which ended within the wait", body = RunJson),
        (status = 202, description = "The run", body = RunJson),
        (status = 409, description = "`operation_not_retryable`, `run_active`"),
    )
)]
pub async fn retry(
    caller: Caller,
    Id(id): Id<OperationId>,
    Wait(wait): Wait,
    Idempotent(once, ()): Idempotent<()>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let control = &*caller.cases.control;
        operations::retry(control, &caller.actor, request_id, id).await?;
        followed_by_id(&caller, id, wait).await
    })
    .await
}
