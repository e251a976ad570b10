//! Marking notifications as read.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use domain::shared::NotificationId;
use http_kit::{Answer, Problem, ProblemBody};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::ApiState;

const INVALID: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// An empty object.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A notification that was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Marked {
    /// `ntf_…`
    id: String,
    /// Always true.
    read: bool,
}

/// Marks a notification as read. Again: no change.
#[utoipa::path(
    post,
    path = "/notifications/{id}/read",
    tag = "notifications",
    operation_id = "readNotification",
    params(("id" = String, Path, description = "`ntf_…`")),
    responses(
        (status = 200, description = "It is read", body = Marked),
        (status = 404, description = "The caller has none like it", body = ProblemBody),
    )
)]
pub async fn read(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id: NotificationId = path.parse().map_err(|_| Problem::not_found())?;
    let body = state.optional_json::<Nothing>(&request, payload, INVALID);
    let hash = body.await?.hash;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, hash, move |_ticket| async move {
            app.notifications.mark_read(&caller, id).await?;
            let marked = Marked {
                id: id.to_string(),
                read: true,
            };
            Ok(Answer::json(StatusCode::OK, &marked))
        })
        .await
}

/// How many were marked.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkedAll {
    /// Notifications that were unread.
    marked: i64,
}

/// Marks all of the caller's notifications as read.
#[utoipa::path(
    post,
    path = "/notifications/read_all",
    tag = "notifications",
    operation_id = "readAllNotifications",
    responses((status = 200, description = "All are read", body = MarkedAll))
)]
pub async fn read_all(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let body = state.optional_json::<Nothing>(&request, payload, INVALID);
    let hash = body.await?.hash;
    let (app, caller) = (state.app.clone(), actor.clone());
    state
        .once(&request, &actor, hash, move |request_id| async move {
            let marked = app.notifications.mark_all_read(&caller, request_id).await?;
            Ok(Answer::json(StatusCode::OK, &MarkedAll { marked }))
        })
        .await
}
