//! Reading notifications.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use domain::shared::NotificationId;
use http_kit::{
    Problem, ProblemBody,
    paging::{self, List},
};
use ports::store::NotificationFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::json::NotificationJson;
use crate::{
    application::AppError,
    http::{ApiState, cursors},
};

/// Which notifications.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `true`, or no value: unread ones only.
    unread: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The last notification of the page before.
#[derive(Serialize, Deserialize)]
struct Position(i64);

/// Lists the caller's notifications, newest first.
#[utoipa::path(
    get,
    path = "/notifications",
    tag = "notifications",
    operation_id = "listNotifications",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<NotificationJson>),
        (status = 400, description = "`invalid_cursor`", body = ProblemBody),
        (status = 422, description = "A parameter is wrong", body = ProblemBody),
    )
)]
pub async fn list(state: Data<ApiState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let which = Query::<Which>::from_query(request.query_string())
        .map_err(|error| Problem::bad_request("invalid_query", error.to_string()))?;
    let limit = paging::limit(which.limit.as_deref());
    let limit = limit.map_err(|broken| AppError::Invalid(vec![broken]))?;
    let unread = match which.unread.as_deref() {
        None | Some("false") => false,
        Some("true" | "") => true,
        Some(_) => {
            let detail = "one of true, false";
            return Err(AppError::invalid("/unread", "unknown_value", detail).into());
        }
    };
    let purpose = format!("notifications:{}:{}", actor.workspace, actor.user);
    let after = which.cursor.as_deref();
    let after = after.map(|cursor| cursors::open::<Position>(&state.sealer, &purpose, cursor));
    let filter = NotificationFilter {
        unread,
        before: after.transpose()?.map(|p| NotificationId::from_raw(p.0)),
        limit: i64::from(limit),
    };
    let (notifications, more) = state.app.notifications.list(&actor, filter).await?;
    let last = notifications.last().filter(|_| more);
    let next_cursor =
        last.and_then(|last| cursors::seal(&state.sealer, &purpose, &Position(last.id.raw())));
    let data = notifications.into_iter().map(NotificationJson::try_from);
    let data: Vec<_> = data.collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// How many are unread.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unread {
    /// Notifications.
    unread: i64,
}

/// Counts the caller's unread notifications.
#[utoipa::path(
    get,
    path = "/notifications/unread_count",
    tag = "notifications",
    operation_id = "countUnreadNotifications",
    responses((status = 200, description = "The count", body = Unread))
)]
pub async fn unread_count(
    state: Data<ApiState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let unread = state.app.notifications.unread(&actor).await?;
    Ok(HttpResponse::Ok().json(Unread { unread }))
}
