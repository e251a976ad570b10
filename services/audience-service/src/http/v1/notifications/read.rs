//! Reading notifications.

use api_types::{
    List,
    notifications::{NotificationJson, Unread},
};
use domain::shared::{NotificationId, Violation};
use http_kit::{Answer, ApiResult, Query, paging};
use ports::store::{Notification, NotificationFilter};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::json::notification_json;
use crate::http::Caller;

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
    get, path = "/notifications", tag = "notifications", operation_id = "listNotifications",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<NotificationJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list(caller: Caller, Query(which): Query<Which>) -> ApiResult {
    let limit = paging::limit(which.limit.as_deref())?;
    let unread = match which.unread.as_deref() {
        None | Some("false") => false,
        Some("true" | "") => true,
        Some(_) => {
            return Err(Violation::not_one_of("/unread", ["true", "false"]).into());
        }
    };
    let cursors = caller.cursors(&format!("notifications:{}", caller.actor.user));
    let before: Option<Position> = cursors.open(which.cursor.as_deref())?;
    let filter = NotificationFilter {
        unread,
        before: before.map(|p| NotificationId::from_raw(p.0)),
        limit: i64::from(limit),
    };
    let (rows, more) = caller.app.notifications.list(&caller.actor, filter).await?;
    let next_cursor = cursors.next(&rows, more, |last: &Notification| Position(last.id.raw()));
    let data = rows.into_iter().map(notification_json);
    let data: Vec<_> = data.collect::<Result<_, _>>()?;
    Ok(Answer::ok(&List { data, next_cursor }))
}

/// Counts the caller's unread notifications.
#[utoipa::path(
    get, path = "/notifications/unread_count", tag = "notifications",
    operation_id = "countUnreadNotifications",
    responses((status = 200, description = "The count", body = Unread)),
)]
pub async fn unread_count(caller: Caller) -> ApiResult {
    let unread = caller.app.notifications.unread(&caller.actor).await?;
    Ok(Answer::ok(&Unread { unread }))
}
