//! What will happen to a communication, and what happens to it.

use std::time::Duration;

use actix_web::HttpResponse;
use api_types::communications::{CommunicationPreview, NewCommunication};
use domain::{scheduling::Plan, shared::CommunicationId};
use futures::stream;
use http_kit::{
    Answer, ApiResult, Id, JsonBody, Problem,
    sse::{Event, EventText, respond},
};

use super::{
    json::{communication_json, preview_json},
    plan,
};
use crate::http::Caller;

/// Pause between two looks for changes.
const LOOKS: Duration = Duration::from_millis(500);

async fn preview_of(caller: Caller, plan: Plan) -> ApiResult {
    let rate = plan.rate_per_minute;
    let preview = &caller.cases.preview;
    let outlook = preview.plan(&caller.actor, plan).await?;
    Ok(Answer::ok(&preview_json(&outlook, rate)))
}

/// What would happen to a communication. Nothing is stored, and nothing leaves.
#[utoipa::path(
    post, path = "/communications/preview", tag = "communications",
    operation_id = "previewNewCommunication",
    request_body = NewCommunication,
    responses(
        (status = 200, description = "What would happen, as things are now", body = CommunicationPreview),
        (status = 422, description = "A rule is broken"),
    )
)]
pub async fn preview_new(caller: Caller, JsonBody(body): JsonBody<NewCommunication>) -> ApiResult {
    let directory = &caller.cases.directory;
    let zone = directory.time_zone(&caller.actor.workspace).await?;
    let new = plan::read(body, zone).map_err(Problem::unprocessable)?;
    preview_of(caller, new.plan).await
}

/// What will happen to a communication that waits. Nothing is changed, and nothing leaves.
#[utoipa::path(
    post, path = "/communications/{id}/preview", tag = "communications",
    operation_id = "previewCommunication",
    params(Id<CommunicationId>),
    responses(
        (status = 200, description = "What would happen, as things are now", body = CommunicationPreview),
        (status = 422, description = "Its instant has passed, or there is no such audience any more"),
    )
)]
pub async fn preview(caller: Caller, Id(id): Id<CommunicationId>) -> ApiResult {
    let (communication, _) = caller.cases.read.get(&caller.actor, id).await?;
    preview_of(caller, communication.plan).await
}

/// What happens to a communication: itself with its totals, now and each time that it has changed. The stream ends
/// when it has.
#[utoipa::path(
    get, path = "/communications/{id}/events", tag = "communications",
    operation_id = "followCommunication",
    params(Id<CommunicationId>),
    responses(
        (status = 200, description = "`communication` events", body = EventText, content_type = "text/event-stream"),
        (status = 503, description = "Too many streams are open"),
    )
)]
pub async fn follow(caller: Caller, Id(id): Id<CommunicationId>) -> Result<HttpResponse, Problem> {
    caller.cases.read.get(&caller.actor, id).await?;
    let shutdown = caller.context().stopping.clone();
    let permit = caller.context().stream_permit()?;
    let start = (caller, permit, None::<String>);
    let events = stream::unfold(Some(start), move |state| async move {
        let (caller, permit, last) = state?;
        loop {
            // Whoever lost access or the communication reads no further.
            let read = caller.cases.read.get(&caller.actor, id).await.ok()?;
            let (communication, totals) = read;
            let json = communication_json(&communication, Some(&totals));
            let data = serde_json::to_string(&json).ok()?;
            if last.as_ref() == Some(&data) {
                tokio::time::sleep(LOOKS).await;
                continue;
            }
            let event = Event {
                event: Some("communication".to_owned()),
                data: data.clone(),
                ..Event::default()
            };
            let next = (!communication.has_ended()).then_some((caller, permit, Some(data)));
            return Some((event, next));
        }
    });
    Ok(respond(events, shutdown))
}
