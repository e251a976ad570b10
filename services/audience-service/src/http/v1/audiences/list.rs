//! Reading audiences.

use api_types::{List, audiences::AudienceJson};
use domain::{
    audience::{Audience, AudienceKind, AudienceStatus},
    shared::{AudienceId, Violation, one_of},
};
use http_kit::{Answer, ApiResult, Id, Problem, Query, paging};
use ports::store::{AudienceFilter, AudiencePage, AudiencePosition, AudienceSort};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::json::{answer, audience_json};
use crate::{AppError, audience::ListAudiences, http::Caller};

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
    number: i64,
    id: i64,
}

/// Lists audiences.
#[utoipa::path(
    get, path = "/audiences", tag = "audiences", operation_id = "listAudiences",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<AudienceJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list(caller: Caller, Query(which): Query<Which>) -> ApiResult {
    let limit = paging::limit(which.limit.as_deref())?;
    let sort_name = which.sort.as_deref().unwrap_or("created_at");
    let cursors = caller.cursors("audiences");
    let after: Option<Position> = cursors.open(which.cursor.as_deref())?;
    if after.as_ref().is_some_and(|after| after.sort != sort_name) {
        let detail = "the cursor belongs to another order";
        return Err(Problem::bad_request("invalid_cursor", detail));
    }
    let page = AudiencePage {
        sort: sort(sort_name)?,
        after: after.map(|after| AudiencePosition {
            name_key: after.key,
            number: after.number,
            id: AudienceId::from_raw(after.id),
        }),
        limit: i64::from(limit),
    };
    let command = ListAudiences {
        filter: filter(&which)?,
        page,
    };
    let page = caller.app.find.list(&caller.actor, command).await?;
    let position = |last: &Audience| Position {
        sort: sort_name.to_owned(),
        key: last.name.key(),
        number: last.number,
        id: last.id.raw(),
    };
    let json = |audience| audience_json(&audience);
    Ok(Answer::ok(&cursors.page(page, position, json)))
}

fn sort(name: &str) -> Result<AudienceSort, Problem> {
    match name {
        "created_at" => Ok(AudienceSort::CreatedAsc),
        "-created_at" => Ok(AudienceSort::CreatedDesc),
        "name" => Ok(AudienceSort::NameAsc),
        "-name" => Ok(AudienceSort::NameDesc),
        _ => {
            let all = ["created_at", "-created_at", "name", "-name"];
            Err(Violation::not_one_of("/sort", all).into())
        }
    }
}

fn filter(which: &Which) -> Result<AudienceFilter, Problem> {
    let deleted = match which.deleted.as_deref() {
        None | Some("false") => Some(false),
        Some("true") => Some(true),
        Some("any") => None,
        Some(_) => {
            let all = ["false", "true", "any"];
            return Err(Violation::not_one_of("/deleted", all).into());
        }
    };
    let status = which.status.as_deref();
    let status = status.map(|s| one_of("/status", s, AudienceStatus::ALL));
    let kind = which.kind.as_deref();
    let kind = kind.map(|s| one_of("/kind", s, AudienceKind::ALL));
    Ok(AudienceFilter {
        search: text("/search", which.search.as_deref())?.filter(|s| !s.is_empty()),
        status: status.transpose()?,
        kind: kind.transpose()?,
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
    get, path = "/audiences/{id}", tag = "audiences", operation_id = "readAudience",
    params(Id<AudienceId>),
    responses((status = 200, description = "The audience", body = AudienceJson)),
)]
pub async fn read(caller: Caller, Id(id): Id<AudienceId>) -> ApiResult {
    let audience = caller.app.find.visible(&caller.actor, id).await?;
    Ok(answer(&audience))
}
