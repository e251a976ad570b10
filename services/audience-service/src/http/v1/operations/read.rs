//! Reading operations.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Query},
};
use domain::{
    operation::{OperationKind, OperationState},
    shared::OperationId,
};
use http_kit::{
    Problem, ProblemBody,
    paging::{self, List},
};
use ports::store::OperationFilter;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::json::{OperationJson, path_id};
use crate::{
    application::AppError,
    http::{ApiState, cursors},
};

/// Which operations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `upload`, `create`, `recycle`, `clear` or `duplicate`.
    kind: Option<String>,
    /// `queued`, `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    state: Option<String>,
    /// Working on this audience.
    audience_id: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The last operation of the page before.
#[derive(Serialize, Deserialize)]
struct Position(i64);

/// Lists operations, newest first.
#[utoipa::path(
    get,
    path = "/operations",
    tag = "operations",
    operation_id = "listOperations",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<OperationJson>),
        (status = 400, description = "`invalid_cursor`", body = ProblemBody),
        (status = 422, description = "A parameter is wrong", body = ProblemBody),
    )
)]
pub async fn list(state: Data<ApiState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let which = Query::<Which>::from_query(request.query_string())
        .map_err(|error| Problem::bad_request("invalid_query", error.to_string()))?;
    let purpose = format!("operations:{}", actor.workspace);
    let after = which.cursor.as_deref();
    let after = after.map(|cursor| cursors::open::<Position>(&state.sealer, &purpose, cursor));
    let filter = OperationFilter {
        before: after.transpose()?.map(|p| OperationId::from_raw(p.0)),
        ..filter(&which)?
    };
    let (operations, more) = state.app.operations(&actor, filter).await?;
    let last = operations.last().filter(|_| more);
    let next_cursor =
        last.and_then(|last| cursors::seal(&state.sealer, &purpose, &Position(last.id.raw())));
    let data: Result<Vec<_>, _> = operations
        .into_iter()
        .map(|operation| OperationJson::new(&state.app, operation))
        .collect();
    let data = data?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

fn filter(which: &Which) -> Result<OperationFilter, AppError> {
    let limit = paging::limit(which.limit.as_deref());
    let asked_for = OperationKind::ALL.iter().filter(|kind| kind.is_asked_for());
    let kinds: Vec<_> = asked_for.copied().collect();
    let audience = which.audience_id.as_deref().map(|text| {
        let detail = "not the id of an audience";
        let parsed = text.parse();
        parsed.map_err(|_| AppError::invalid("/audience_id", "invalid_id", detail))
    });
    Ok(OperationFilter {
        kind: one_of("/kind", which.kind.as_deref(), &kinds)?,
        state: one_of("/state", which.state.as_deref(), OperationState::ALL)?,
        audience: audience.transpose()?,
        before: None,
        limit: i64::from(limit.map_err(|broken| AppError::Invalid(vec![broken]))?),
    })
}

/// A value of a closed list; the refusal names the list.
fn one_of<T>(pointer: &str, text: Option<&str>, all: &[T]) -> Result<Option<T>, AppError>
where
    T: Copy + std::fmt::Display,
{
    let Some(text) = text else { return Ok(None) };
    let named = all.iter().copied().find(|value| value.to_string() == text);
    named.map(Some).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(ToString::to_string).collect();
        let detail = format!("one of {}", names.join(", "));
        AppError::invalid(pointer, "unknown_value", detail)
    })
}

/// Reads an operation.
#[utoipa::path(
    get,
    path = "/operations/{id}",
    tag = "operations",
    operation_id = "readOperation",
    params(("id" = String, Path, description = "`op_…`")),
    responses(
        (status = 200, description = "The operation", body = OperationJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn read(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let operation = state.app.operation(&actor, path_id(&path)?).await?;
    Ok(HttpResponse::Ok().json(OperationJson::new(&state.app, operation)?))
}
