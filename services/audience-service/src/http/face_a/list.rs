//! Finding audiences.

use http_kit::{Answer, ApiResult, Id, Query};

use super::{
    Locale,
    json::{Records, Refusal},
    query::ListQuery,
    refused,
};
use crate::http::Caller;

/// Lists audiences that are not deleted, of every source and kind.
#[utoipa::path(
    get, path = "/{locale}/api/audience", tag = "audience", operation_id = "findAudiences",
    params(("locale" = String, Path, description = "A language, such as `es` or `pt-BR`"), ListQuery),
    responses(
        (status = 200, description = "A part of them", body = Records),
        (status = 400, description = "A parameter cannot be read", body = Refusal),
    ),
)]
pub async fn list(
    caller: Caller,
    Id(Locale): Id<Locale>,
    Query(query): Query<ListQuery>,
) -> ApiResult {
    let excludes = query.excludes();
    let (mut find, selection) = query.read()?;
    if excludes {
        let settings = caller.app.workspaces.settings(&caller.actor).await;
        find.but_for = settings.map_err(refused)?.excluded_audience;
    }
    let (queries, actor) = (&caller.app.find, &caller.actor);
    let (found, total_count) = queries.matching(actor, &find).await.map_err(refused)?;
    let records = found
        .iter()
        .map(|audience| selection.of(audience))
        .collect();
    Ok(Answer::ok(&Records {
        records,
        total_count,
    }))
}
