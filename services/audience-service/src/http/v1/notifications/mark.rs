//! Marking notifications as read.

use api_types::notifications::{Marked, MarkedAll};
use domain::shared::NotificationId;
use http_kit::{Answer, ApiResult, Id, Idempotent, Nothing, OptionalBody};

use crate::http::Caller;

/// Marks a notification as read. Again: no change.
#[utoipa::path(
    post, path = "/notifications/{id}/read", tag = "notifications",
    operation_id = "readNotification",
    params(Id<NotificationId>),
    responses(
        (status = 200, description = "It is read", body = Marked),
        (status = 404, description = "The caller has none like it"),
    ),
)]
pub async fn read(
    caller: Caller,
    Id(id): Id<NotificationId>,
    Idempotent(once, _): Idempotent<OptionalBody<Nothing>>,
) -> ApiResult {
    once.run(move |_| async move {
        caller
            .app
            .notifications
            .mark_read(&caller.actor, id)
            .await?;
        Ok(Answer::ok(&Marked {
            id: id.to_string(),
            read: true,
        }))
    })
    .await
}

/// Marks all of the caller's notifications as read.
#[utoipa::path(
    post, path = "/notifications/read_all", tag = "notifications",
    operation_id = "readAllNotifications",
    responses((status = 200, description = "All are read", body = MarkedAll)),
)]
pub async fn read_all(
    caller: Caller,
    Idempotent(once, _): Idempotent<OptionalBody<Nothing>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let marked = caller
            .app
            .notifications
            .mark_all_read(&caller.actor, request_id);
        let marked = marked.await?;
        Ok(Answer::ok(&MarkedAll { marked }))
    })
    .await
}
