//! Dead letters of the caller's workspace.

use api_types::{
    List,
    bus::{DeadLetterJson, RedriveBody, Redriven},
};
use chrono::DateTime;
use domain::shared::Violation;
use http_kit::{Answer, ApiResult, Idempotent, JsonBody, Problem, Query, paging, timestamp};
use ports::bus::{DeadLetter, DeadLetterCursor, EventId, Redrive, Subscription};
use serde::{Deserialize, Serialize};

use crate::http::Caller;

fn dead_letter_json(letter: DeadLetter) -> DeadLetterJson {
    DeadLetterJson {
        subscription: letter.subscription.to_string(),
        event_id: letter.event.event_id.to_string(),
        event_type: letter.event.event_type,
        aggregate: letter.event.aggregate,
        attempts: letter.attempts,
        reason: letter.reason,
        buried_at: timestamp(letter.buried_at),
    }
}

/// Which deliveries.
#[derive(Deserialize)]
pub struct ListQuery {
    subscription: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// Position in the list: milliseconds, subscription, event.
#[derive(Serialize, Deserialize)]
struct Position(i64, String, String);

impl From<DeadLetterCursor> for Position {
    fn from(at: DeadLetterCursor) -> Self {
        let millis = at.buried_at.timestamp_millis();
        Self(millis, at.subscription.to_string(), at.event_id.to_string())
    }
}

impl TryFrom<Position> for DeadLetterCursor {
    type Error = Problem;

    fn try_from(Position(millis, subscription, event): Position) -> Result<Self, Problem> {
        let subscription = Subscription::parse(&subscription).ok();
        let parts = DateTime::from_timestamp_millis(millis).zip(subscription);
        let (buried_at, subscription) = parts
            .ok_or_else(|| Problem::bad_request("invalid_cursor", "the cursor is not valid"))?;
        Ok(Self {
            buried_at,
            subscription,
            event_id: EventId::new(event),
        })
    }
}

/// Deliveries that were given up, oldest first.
#[utoipa::path(
    get, path = "/bus/dead", tag = "bus", operation_id = "listDeadLetters",
    params(
        ("subscription" = Option<String>, Query, description = "Of this subscription only"),
        ("limit" = Option<u32>, Query, description = "1 to 1000; 100 where absent"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, body = List<DeadLetterJson>)),
)]
pub async fn list(caller: Caller, Query(query): Query<ListQuery>) -> ApiResult {
    let limit = paging::limit(query.limit.as_deref())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let name = query.subscription.as_deref();
    let subscription = name.map(subscription).transpose()?;
    let cursors = caller.cursors(&format!("dead:{}", name.unwrap_or("*")));
    let after: Option<Position> = cursors.open(query.cursor.as_deref())?;
    let after = after.map(DeadLetterCursor::try_from).transpose()?;
    let letters = &caller.dead_letters;
    let page = letters
        .list(&caller.actor, subscription.as_ref(), after, limit)
        .await?;
    let position = |last: &DeadLetter| Position::from(last.cursor());
    Ok(Answer::ok(&cursors.page(page, position, dead_letter_json)))
}

/// Sends deliveries again that were given up, with all their attempts before them.
#[utoipa::path(
    post, path = "/bus/dead/redrive", tag = "bus", request_body = RedriveBody,
    responses(
        (status = 200, body = Redriven),
        (status = 404, description = "There is no such delivery"),
        (status = 422, description = "It is not said which"),
    ),
)]
pub async fn redrive(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<RedriveBody>>,
) -> ApiResult {
    let which = parse(body)?;
    once.run(move |request_id| async move {
        let letters = &caller.dead_letters;
        let redriven = letters.redrive(&caller.actor, request_id, &which).await?;
        Ok(Answer::ok(&Redriven { redriven }))
    })
    .await
}

fn parse(body: RedriveBody) -> Result<Redrive, Problem> {
    let refuse = |pointer, detail| Err(Violation::new(pointer, "invalid_value", detail).into());
    match (body.all, body.subscription, body.event_id) {
        (true, None, None) => Ok(Redrive::All),
        (true, ..) => refuse("/all", "with `all` nothing else may be named"),
        (false, None, _) => refuse("/subscription", "name a subscription, or say `all`"),
        (false, Some(name), None) => Ok(Redrive::Subscription(subscription(&name)?)),
        (false, Some(name), Some(event)) => {
            Ok(Redrive::One(subscription(&name)?, EventId::new(event)))
        }
    }
}

fn subscription(name: &str) -> Result<Subscription, Violation> {
    Subscription::parse(name)
        .map_err(|error| Violation::new("/subscription", "invalid_value", error.to_string()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;

    use super::*;

    fn which(json: &str) -> Result<Redrive, Problem> {
        parse(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn it_must_be_said_which() {
        assert_eq!(which(r#"{"all":true}"#).unwrap(), Redrive::All);
        let one = which(r#"{"subscription":"audience.notifications","event_id":"7"}"#).unwrap();
        let notifications = Subscription::from_static("audience.notifications");
        assert_eq!(one, Redrive::One(notifications, EventId::new("7")));
        for bad in [
            "{}",
            r#"{"event_id":"7"}"#,
            r#"{"all":true,"event_id":"7"}"#,
            r#"{"subscription":"nonsense"}"#,
        ] {
            let status = which(bad).unwrap_err().status();
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
    }
}
