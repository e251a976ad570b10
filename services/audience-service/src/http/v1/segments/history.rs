//! Who was a member, and when.

use api_types::{
    List,
    segments::{ExplainBody, MembersJson, MembershipJson, PeriodJson, RefreshJson},
};
use domain::{
    audience::Refreshed,
    contact::Document,
    shared::{AudienceId, Instant},
};
use http_kit::{
    Answer, ApiResult, Id, Problem, Query,
    paging::{self, Part},
    timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::paths::whom;
use crate::{
    AppError,
    http::{Caller, contact_json::contact_json},
};

/// Lists the refreshes of an audience, latest first. They are kept for 90 days, the last three for longer.
#[utoipa::path(
    get, path = "/audiences/{id}/refreshes", tag = "segments", operation_id = "listRefreshes",
    params(Id<AudienceId>, Part),
    responses(
        (status = 200, description = "A page", body = List<RefreshJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 404, description = "There is no such audience"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn refreshes(
    caller: Caller,
    Query(part): Query<Part>,
    Id(id): Id<AudienceId>,
) -> ApiResult {
    let limit = paging::limit(part.limit.as_deref())?;
    let cursors = caller.cursors(&format!("refreshes:{id}"));
    let before: Option<i64> = cursors.open(part.cursor.as_deref())?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let history = &caller.app.segments.history;
    let page = history.refreshes(&caller.actor, id, before, size).await?;
    let position = |last: &Refreshed| last.request;
    Ok(Answer::ok(&cursors.page(page, position, refresh_json)))
}

/// Who is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The number of the customer.
    customer_id: Option<String>,
}

/// Says when a customer was a member of a segment, and by which refreshes.
#[utoipa::path(
    get, path = "/audiences/{id}/membership", tag = "segments", operation_id = "readMembership",
    params(Id<AudienceId>, Who),
    responses(
        (status = 200, description = "When", body = MembershipJson),
        (status = 404, description = "There is no such audience, or no such customer"),
        (status = 409, description = "`not_a_segment`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn membership(
    caller: Caller,
    Query(who): Query<Who>,
    Id(id): Id<AudienceId>,
) -> ApiResult {
    let wrong = |code, detail: &str| AppError::invalid("/customer_id", code, detail);
    let text = who
        .customer_id
        .ok_or_else(|| wrong("required", "must be there"))?;
    let number = text
        .parse()
        .map_err(|_| wrong("invalid_value", "must be the number of a customer"))?;
    let whom = whom(ExplainBody {
        customer_id: Some(number),
        document: None,
    })?;
    let history = &caller.app.segments.history;
    let known = history.membership(&caller.actor, id, whom).await?;
    let periods = known.periods.into_iter().map(|period| PeriodJson {
        entered: period.entered.map(refresh_json),
        left: period.left.map(refresh_json),
    });
    Ok(Answer::ok(&MembershipJson {
        member: known.is_member,
        periods: periods.collect(),
    }))
}

/// When, and which part.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// An instant, RFC 3339; now where absent.
    at: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Position {
    at: i64,
    after: String,
}

/// Lists who were the members of a segment at an instant, in the order of documents, with what is known of them
/// now.
#[utoipa::path(
    get, path = "/audiences/{id}/members", tag = "segments", operation_id = "listMembersAt",
    params(Id<AudienceId>, Then),
    responses(
        (status = 200, description = "A part", body = MembersJson),
        (status = 400, description = "`invalid_cursor`"),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "`not_a_segment`"),
        (status = 410, description = "`refresh_expired`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn members(
    caller: Caller,
    Query(then): Query<Then>,
    Id(id): Id<AudienceId>,
) -> ApiResult {
    let limit = paging::limit(then.limit.as_deref())?;
    let cursors = caller.cursors(&format!("members:{id}"));
    let position: Option<Position> = cursors.open(then.cursor.as_deref())?;
    let (at, after) = match position {
        Some(Position { at, after }) => {
            let at = Instant::from_timestamp_millis(at).ok_or_else(|| {
                Problem::bad_request("invalid_cursor", "the cursor has no valid time")
            })?;
            (at, Some(Document::from_stored(after)))
        }
        None => (instant(then.at.as_deref(), caller.app.clock.now())?, None),
    };
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let history = &caller.app.segments.history;
    let found = history
        .members_at(&caller.actor, id, at, after, size)
        .await?;
    let next = found.next.map(|after| Position {
        at: at.timestamp_millis(),
        after: after.as_str().to_owned(),
    });
    let rows = found.rows.into_iter();
    let workspace = &caller.actor.workspace;
    Ok(Answer::ok(&MembersJson {
        refresh: found.refresh.map(refresh_json),
        data: rows
            .map(|row| contact_json(&caller.contact_ids, workspace, row))
            .collect(),
        next_cursor: next.and_then(|next| cursors.seal(&next)),
    }))
}

fn instant(text: Option<&str>, now: Instant) -> Result<Instant, Problem> {
    let Some(text) = text else { return Ok(now) };
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    let parsed = parsed.map_err(|_| {
        AppError::invalid("/at", "invalid_value", "must be an instant as in RFC 3339")
    })?;
    Ok(parsed.to_utc())
}

fn refresh_json(refreshed: Refreshed) -> RefreshJson {
    RefreshJson {
        version: refreshed.request,
        operation_id: refreshed.operation.map(|id| id.to_string()),
        cause: refreshed.cause.as_str().into(),
        began_at: timestamp(refreshed.began_at),
        shown_at: timestamp(refreshed.shown_at),
        took_ms: (refreshed.shown_at - refreshed.began_at).num_milliseconds(),
        size: refreshed.size,
        entered: refreshed.entered,
        left: refreshed.left,
        changed: refreshed.changed,
        bytes: refreshed.bytes,
    }
}
