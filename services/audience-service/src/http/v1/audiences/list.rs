//! Reading audiences.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use domain::{audience::Audience, shared::AudienceId};
use http_kit::{
    Problem, ProblemBody,
    paging::{self, List},
};
use ports::store::{AudienceFilter, AudiencePage, AudienceSort};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::json::{AudienceJson, answer, one_of, path_id};
use crate::{
    application::{AppError, audience::ListAudiences},
    http::{ApiState, cursors},
};

/// Which audiences.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Part of the name or of a tag, without regard to case.
    search: Option<String>,
    /// `active` or `draft`.
    status: Option<String>,
    /// `static` or `dynamic`.
    kind: Option<String>,
    /// Carries this tag.
    tag: Option<String>,
    /// `false` (as a rule), `true` or `any`.
    deleted: Option<String>,
    /// `created_at` (as a rule), `-created_at`, `name` or `-name`.
    sort: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A position in a list, and the order it belongs to.
#[derive(Serialize, Deserialize)]
struct Position {
    sort: String,
    key: String,
    id: i64,
}

const PURPOSE: &str = "audiences";

/// Lists audiences.
#[utoipa::path(
    get,
    path = "/audiences",
    tag = "audiences",
    operation_id = "listAudiences",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<AudienceJson>),
        (status = 400, description = "`invalid_cursor`", body = ProblemBody),
        (status = 422, description = "A parameter is wrong", body = ProblemBody),
    )
)]
pub async fn list(
    state: Data<ApiState>,
    request: HttpRequest,
    which: Query<Which>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let limit = paging::limit(which.limit.as_deref());
    let limit = limit.map_err(|v| Problem::from(AppError::Invalid(vec![v])))?;
    let sort_name = which
        .sort
        .clone()
        .unwrap_or_else(|| "created_at".to_owned());
    let purpose = format!("{PURPOSE}:{}", actor.workspace);
    let after = match &which.cursor {
        Some(cursor) => {
            let position: Position = cursors::open(&state.sealer, &purpose, cursor)?;
            if position.sort != sort_name {
                let detail = "the cursor belongs to another order";
                return Err(Problem::bad_request("invalid_cursor", detail));
            }
            Some((position.key, AudienceId::from_raw(position.id)))
        }
        None => None,
    };
    let page = AudiencePage {
        sort: sort(&sort_name)?,
        after,
        limit: i64::from(limit),
    };
    let command = ListAudiences {
        filter: filter(&which)?,
        page,
    };
    let (rows, more) = state.app.find.list(&actor, command).await?;
    let position = |last: &Audience| Position {
        sort: sort_name.clone(),
        key: last.name.key(),
        id: last.id.raw(),
    };
    let next = rows.last().filter(|_| more).map(position);
    let next_cursor = next.and_then(|p| cursors::seal(&state.sealer, &purpose, &p));
    let data = rows.iter().map(AudienceJson::from).collect();
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

fn sort(name: &str) -> Result<AudienceSort, Problem> {
    match name {
        "created_at" => Ok(AudienceSort::CreatedAsc),
        "-created_at" => Ok(AudienceSort::CreatedDesc),
        "name" => Ok(AudienceSort::NameAsc),
        "-name" => Ok(AudienceSort::NameDesc),
        _ => {
            let detail = "one of created_at, -created_at, name, -name";
            Err(AppError::invalid("/sort", "unknown_value", detail).into())
        }
    }
}

fn filter(which: &Which) -> Result<AudienceFilter, Problem> {
    let deleted = match which.deleted.as_deref() {
        None | Some("false") => Some(false),
        Some("true") => Some(true),
        Some("any") => None,
        Some(_) => {
            let detail = "one of false, true, any";
            return Err(AppError::invalid("/deleted", "unknown_value", detail).into());
        }
    };
    Ok(AudienceFilter {
        search: text("/search", which.search.as_deref())?.filter(|s| !s.is_empty()),
        status: which
            .status
            .as_deref()
            .map(|s| one_of("/status", s))
            .transpose()?,
        kind: which
            .kind
            .as_deref()
            .map(|s| one_of("/kind", s))
            .transpose()?,
        tag: text("/tag", which.tag.as_deref())?,
        deleted,
    })
}

/// Text to look for. Stores do not agree on NUL, and nothing that is stored contains it.
fn text(pointer: &str, value: Option<&str>) -> Result<Option<String>, Problem> {
    if value.is_some_and(|text| text.contains('\0')) {
        return Err(AppError::invalid(pointer, "contains_nul", "must not contain NUL").into());
    }
    Ok(value.map(str::to_owned))
}

/// Reads an audience, a deleted one included.
#[utoipa::path(
    get,
    path = "/audiences/{id}",
    tag = "audiences",
    operation_id = "readAudience",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal")),
    responses(
        (status = 200, description = "The audience", body = AudienceJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn read(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let audience = state.app.find.visible(&actor, path_id(&path)?).await?;
    Ok(answer(StatusCode::OK, &audience).into())
}
