//! What uses audiences.

use actix_web::http::StatusCode;
use api_types::{
    List,
    usages::{NewUsage, UsageJson},
};
use domain::{audience::Usage, shared::AudienceId};
use http_kit::{
    Answer, ApiResult, Id, Idempotent, JsonBody, Query,
    extract::ThreeIds,
    paging::{self, Part},
};
use serde::{Deserialize, Serialize};

use crate::{
    AppError,
    http::{ApiState, Caller},
};

http_kit::routes!(ApiState; self::{add, list, remove});

/// A position in the list: kind and id.
#[derive(Serialize, Deserialize)]
struct Position(String, String);

impl From<Position> for Usage {
    fn from(Position(kind, id): Position) -> Self {
        Self {
            kind,
            id,
            name: String::new(),
            resource: false,
        }
    }
}

fn json(usage: Usage) -> UsageJson {
    let Usage {
        kind,
        id,
        name,
        resource,
    } = usage;
    UsageJson {
        kind,
        id,
        name,
        resource,
    }
}

/// What uses an audience: what was told here or by other services, and audiences whose conditions name it.
#[utoipa::path(
    get, path = "/audiences/{id}/usages", tag = "audiences", operation_id = "listUsages",
    params(Id<AudienceId>, Part),
    responses(
        (status = 200, description = "A part", body = List<UsageJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 404, description = "There is no such audience"),
    ),
)]
pub async fn list(caller: Caller, Query(part): Query<Part>, Id(id): Id<AudienceId>) -> ApiResult {
    let limit = paging::limit(part.limit.as_deref())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let cursors = caller.cursors(&format!("usages:{id}"));
    let after: Option<Position> = cursors.open(part.cursor.as_deref())?;
    let after = after.map(Usage::from);
    let usages = &caller.app.usages;
    let page = usages
        .list(&caller.actor, id, after.as_ref(), limit)
        .await?;
    let position = |last: &Usage| Position(last.kind.clone(), last.id.clone());
    Ok(Answer::ok(&cursors.page(page, position, json)))
}

/// Says that something uses an audience. Again, by kind and id: its name and `resource` are those of the last
/// time. While something uses it, the audience is neither deleted nor made a draft, and has no other conditions.
#[utoipa::path(
    post, path = "/audiences/{id}/usages", tag = "audiences", operation_id = "addUsage",
    request_body = NewUsage,
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "It was known", body = UsageJson),
        (status = 201, description = "It is known now", body = UsageJson),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "`audience_deleted`"),
    ),
)]
pub async fn add(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<NewUsage>>,
) -> ApiResult {
    let usage = Usage::parse(&new.kind, &new.id, &new.name, new.resource);
    let usage = usage.map_err(AppError::Invalid)?;
    once.run(move |_| async move {
        let usages = &caller.app.usages;
        let new = usages.add(&caller.actor, id, usage.clone()).await?;
        let status = match new {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        Ok(Answer::json(status, &json(usage)))
    })
    .await
}

/// Says that something uses an audience no more. Again: no change.
#[utoipa::path(
    delete, path = "/audiences/{id}/usages/{kind}/{usage}", tag = "audiences",
    operation_id = "removeUsage",
    params(
        Id<AudienceId>,
        ("kind" = String, Path, description = "What it is"),
        ("usage" = String, Path, description = "Which one of its kind"),
    ),
    responses(
        (status = 204, description = "It is not used by it"),
        (status = 404, description = "There is no such audience"),
    ),
)]
pub async fn remove(
    caller: Caller,
    ThreeIds(id, kind, usage): ThreeIds<AudienceId, String, String>,
) -> ApiResult {
    let run = |caller: Caller| async move {
        let usages = &caller.app.usages;
        usages.remove(&caller.actor, id, &kind, &usage).await?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    };
    caller.change(run).await
}
