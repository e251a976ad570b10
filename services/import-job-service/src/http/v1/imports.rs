//! `/api/v1/imports`: runs.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload, Query},
};
use domain::{importing::ClientSlug, operation::OperationState, shared::OperationId};
use http_kit::{
    Answer, Body, Problem, ProblemBody,
    idempotency::content_hash,
    paging::{self, List},
    prefer,
};
use kernel::{Actor, AppError};
use ports::importing::{ClientId, ImportKind, Run, RunFilter};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{INVALID, broken, clients::path_id as client_path_id, json::RunJson};
use crate::{http::ApiState, use_cases::UseCases};

/// What to import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StartImport)]
pub struct Start {
    /// `cli_…`; or its slug in `client_slug`.
    client_id: Option<String>,
    /// The client's name in URLs.
    client_slug: Option<String>,
    /// `tickets` or `contacts`.
    import: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    client_id: Option<String>,
    import: Option<String>,
    state: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

fn kind(pointer: &str, text: &str) -> Result<ImportKind, Problem> {
    let unknown = || broken(pointer, "unknown_import", "must be tickets or contacts");
    ImportKind::parse(text).ok_or_else(unknown)
}

/// Path of a run.
fn path_of(id: OperationId) -> String {
    format!("/api/v1/imports/{id}")
}

fn run_id(text: &str) -> Result<OperationId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// 202 with where to look, or, after waiting as asked, the end.
async fn followed(
    cases: &UseCases,
    actor: &Actor,
    run: Run,
    wait: Option<Duration>,
) -> Result<Answer, Problem> {
    let id = run.operation.id;
    let show = |operation| Ok(RunJson::new(&cases.control, Run { operation, ..run })?);
    http_kit::operations::answer(&*cases.control, actor, id, &path_of(id), wait, show).await
}

/// The client that a body names.
async fn named(state: &ApiState, actor: &Actor, body: &Start) -> Result<ClientId, Problem> {
    let missing = || broken("/client_id", "client_unknown", "there is no such client");
    match (&body.client_id, &body.client_slug) {
        (Some(id), None) => {
            let id = client_path_id(id).map_err(|_| missing())?;
            let client = state
                .cases
                .clients
                .get(actor, id)
                .await
                .map_err(|error| match error {
                    AppError::NotFound => missing(),
                    error => error.into(),
                })?;
            Ok(client.id)
        }
        (None, Some(slug)) => {
            let slug = ClientSlug::parse(slug).map_err(|_| missing())?;
            let clients = &state.cases.clients;
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
    post, path = "/api/v1/imports", tag = "imports", operation_id = "startImport",
    request_body = Start,
    params(("Prefer" = Option<String>, Header, description = "`wait=N`, up to 60 seconds")),
    responses(
        (status = 200, description = "The run, which ended within the wait", body = RunJson),
        (status = 202, description = "The run", body = RunJson),
        (status = 409, description = "`client_inactive`", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn start(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let Body { value: body, hash } = state.json::<Start>(&request, payload, INVALID).await?;
    let kind = kind("/import", &body.import)?;
    let client = named(&state, &actor, &body).await?;
    let wait = prefer::wait(request.headers());
    let (cases, by) = (state.cases.clone(), actor.clone());
    let run = move |request_id| async move {
        let run = cases
            .start_run
            .execute(&by, request_id, client, kind)
            .await?;
        followed(&cases, &by, run, wait).await
    };
    state.once(&request, &actor, hash, run).await
}

/// Runs, newest first.
#[utoipa::path(
    get, path = "/api/v1/imports", tag = "imports", operation_id = "listImports",
    params(
        ("client_id" = Option<String>, Query, description = "Of this client"),
        ("import" = Option<String>, Query, description = "`tickets` or `contacts`"),
        ("state" = Option<String>, Query, description = "In this state"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of runs", body = List<RunJson>))
)]
pub async fn list(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let limit = paging::limit(query.limit.as_deref())
        .map_err(|violation| Problem::unprocessable(vec![violation]))?;
    let client = query.client_id.as_deref().map(client_path_id).transpose();
    let client = client.map_err(|_| broken("/client_id", "invalid_id", "no id can be this"))?;
    let in_state = query.state.as_deref().map(str::parse::<OperationState>);
    let in_state = in_state.transpose();
    let in_state = in_state.map_err(|()| broken("/state", "unknown_state", "no state is this"))?;
    let import = query.import.as_deref();
    let before: Option<i64> = state.open(&actor.workspace, "imports", query.cursor.as_deref())?;
    let filter = RunFilter {
        client,
        kind: import.map(|text| kind("/import", text)).transpose()?,
        state: in_state,
        before: before.map(OperationId::from_raw),
        limit: i64::from(limit),
    };
    let (runs, more) = state.cases.runs.list(&actor, filter).await?;
    let last = runs
        .last()
        .filter(|_| more)
        .map(|run| run.operation.id.raw());
    let next = last.and_then(|last| state.seal(&actor.workspace, "imports", &last));
    let json = |run| RunJson::new(&state.cases.control, run);
    let data = runs.into_iter().map(json).collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(List {
        data,
        next_cursor: next,
    }))
}

/// One run.
#[utoipa::path(
    get, path = "/api/v1/imports/{id}", tag = "imports", operation_id = "getImport",
    params(("id" = String, Path, description = "`op_…`")),
    responses(
        (status = 200, description = "The run", body = RunJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn get(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let run = state.cases.runs.get(&actor, run_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(RunJson::new(&state.cases.control, run)?))
}

/// Asks a run to stop. What it stored stays.
#[utoipa::path(
    post, path = "/api/v1/imports/{id}/cancel", tag = "imports", operation_id = "cancelImport",
    params(("id" = String, Path, description = "`op_…`")),
    responses(
        (status = 200, description = "The run, which ended within the wait", body = RunJson),
        (status = 202, description = "The run", body = RunJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`operation_ended`", body = ProblemBody),
    )
)]
pub async fn cancel(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = run_id(&id)?;
    let wait = prefer::wait(request.headers());
    let (cases, by) = (state.cases.clone(), actor.clone());
    let run = move |request_id| async move {
        operations::cancel(&*cases.control, &by, request_id, id).await?;
        let run = cases.runs.get(&by, id).await?;
        followed(&cases, &by, run, wait).await
    };
    state.once(&request, &actor, content_hash(&[]), run).await
}

/// Puts a failed or cancelled run back into the queue; it goes on from its checkpoint.
#[utoipa::path(
    post, path = "/api/v1/imports/{id}/retry", tag = "imports", operation_id = "retryImport",
    params(("id" = String, Path, description = "`op_…`")),
    responses(
        (status = 200, description = "The run, which ended within the wait", body = RunJson),
        (status = 202, description = "The run", body = RunJson),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "`operation_not_retryable`, `run_active`", body = ProblemBody),
    )
)]
pub async fn retry(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = run_id(&id)?;
    let wait = prefer::wait(request.headers());
    let (cases, by) = (state.cases.clone(), actor.clone());
    let run = move |request_id| async move {
        operations::retry(&*cases.control, &by, request_id, id).await?;
        let run = cases.runs.get(&by, id).await?;
        followed(&cases, &by, run, wait).await
    };
    state.once(&request, &actor, content_hash(&[]), run).await
}
