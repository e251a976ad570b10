//! Reading.

use api_types::{
    List,
    suppressions::{
        SuppressionFoundJson, SuppressionJson, SuppressionsBody, SuppressionsFoundJson,
    },
};
use domain::{
    shared::{SuppressionId, one_of},
    suppression::{Suppression, SuppressionKind, SuppressionReason},
};
use http_kit::{Answer, ApiResult, JsonBody, Query, paging};
use ports::store::SuppressionFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::json::{refusal_json, suppression_json};
use crate::{
    http::{Caller, state::at_most},
    suppression::{LookedUp, MAX_SUPPRESSIONS},
};

/// Which suppressions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// `phone`, `email` or `document`.
    kind: Option<String>,
    /// `unsubscribed`, `complaint`, `bounce`, `manual` or `erasure`.
    reason: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists suppressions, newest first.
#[utoipa::path(
    get, path = "/suppressions", tag = "suppressions", operation_id = "listSuppressions",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<SuppressionJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list(caller: Caller, Query(which): Query<Which>) -> ApiResult {
    let kind = which.kind.as_deref();
    let kind = kind.map(|text| one_of("/kind", text, SuppressionKind::ALL));
    let reason = which.reason.as_deref();
    let reason = reason.map(|text| one_of("/reason", text, SuppressionReason::ALL));
    let cursors = caller.cursors("suppressions");
    let before: Option<i64> = cursors.open(which.cursor.as_deref())?;
    let filter = SuppressionFilter {
        kind: kind.transpose()?,
        reason: reason.transpose()?,
        before: before.map(SuppressionId::from_raw),
        limit: i64::from(paging::limit(which.limit.as_deref())?),
    };
    let read = &caller.app.suppressions.read;
    let page = read.list(&caller.actor, filter).await?;
    let position = |last: &Suppression| last.id.raw();
    Ok(Answer::ok(&cursors.page(page, position, suppression_json)))
}

/// Tells who is suppressed, by what must not be in a URL.
#[utoipa::path(
    post, path = "/suppressions/lookup", tag = "suppressions", operation_id = "lookUpSuppressions",
    request_body = SuppressionsBody,
    responses(
        (status = 200, description = "Who is", body = SuppressionsFoundJson),
        (status = 413, description = "More than 64 MiB or 10,000 items"),
        (status = 422, description = "The request is none of people"),
    ),
)]
pub async fn look_up(caller: Caller, JsonBody(body): JsonBody<SuppressionsBody>) -> ApiResult {
    let items = body.suppressions;
    at_most(caller.item_limit.min(MAX_SUPPRESSIONS), &items)?;
    let read = &caller.app.suppressions.read;
    let found = read.look_up(&caller.actor, items).await?;
    let one = |(index, found): (usize, LookedUp)| {
        let (suppression, error) = match found {
            Ok(found) => (found.map(suppression_json), None),
            Err(refusal) => (None, Some(refusal_json(refusal))),
        };
        SuppressionFoundJson {
            index,
            suppression,
            error,
        }
    };
    let results = found.into_iter().enumerate().map(one).collect();
    Ok(Answer::ok(&SuppressionsFoundJson { results }))
}
