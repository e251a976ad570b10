//! Following the feed of the caller's notifications.

use std::{collections::VecDeque, time::Duration};

use actix_web::{HttpRequest, HttpResponse};
use futures::{Stream, stream};
use http_kit::{
    Problem,
    sse::{self, Event, EventText},
};
use ports::store::UserEvent;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast::Receiver},
    time::timeout,
};

use super::json::event_data;
use crate::{Topic, http::Caller};

const LAST_EVENT_ID: &str = "last-event-id";
/// Longest time without a look: another process may have stored a notification.
const POLL: Duration = Duration::from_secs(1);
/// Events read at a time.
const BATCH: i64 = 100;

/// Follows the caller's notifications: `notification` events as they come. With `Last-Event-ID`
/// it goes on strictly after that event; where that is impossible, one `reset` event says that the
/// list has to be read again.
#[utoipa::path(
    get, path = "/notifications/stream", tag = "notifications",
    operation_id = "followNotifications",
    params(("Last-Event-ID" = Option<String>, Header, description = "Id of the last event seen")),
    responses(
        (
            status = 200, description = "Events; the data of each is a notification",
            content_type = "text/event-stream", body = EventText,
        ),
    ),
)]
pub async fn follow(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let permit = caller.context().stream_permit()?;
    // Listening begins before the position is read, so that no event falls in between.
    let topics = caller.app.wake.subscribe();
    let kept = caller.app.notifications.feed_range(&caller.actor).await?;
    let now = kept.map_or(0, |(_, last)| last);
    let seen = request.headers().get(LAST_EVENT_ID);
    let resumed = seen.map(|id| id.to_str().ok().and_then(|id| resume(id, kept)));
    let stopping = caller.context().stopping.clone();
    let (workspace, user) = (&caller.actor.workspace, &caller.actor.user);
    let feed = Feed {
        topic: Topic::Feed(workspace.to_string(), user.to_string()),
        caller,
        topics,
        after: resumed.flatten().unwrap_or(now),
        waiting: VecDeque::from_iter((resumed == Some(None)).then(|| reset(now))),
        _permit: permit,
    };
    Ok(sse::respond(feed.stream(), stopping))
}

/// The position to go on after, or `None` where events between may be missing.
fn resume(seen: &str, kept: Option<(i64, i64)>) -> Option<i64> {
    let digits = !seen.is_empty() && seen.bytes().all(|b| b.is_ascii_digit());
    let seen: i64 = digits.then(|| seen.parse().ok()).flatten()?;
    let (first, last) = kept.unwrap_or((1, 0));
    (first - 1..=last).contains(&seen).then_some(seen)
}

/// Carries the position that the stream goes on from, so that the next reconnection resumes.
fn reset(now: i64) -> Event {
    Event {
        id: Some(now.to_string()),
        event: Some("reset".to_owned()),
        data: "{}".to_owned(),
    }
}

/// An event as it is sent. One that cannot be read is left out: those after it can be.
fn sent(event: UserEvent) -> Option<Event> {
    match event_data(&event) {
        Ok(data) => Some(Event {
            id: Some(event.seq.to_string()),
            event: Some(event.kind),
            data,
        }),
        Err(error) => {
            tracing::error!(%error, position = event.seq, "an event of a feed cannot be read");
            None
        }
    }
}

/// Where a stream stands.
struct Feed {
    caller: Caller,
    topic: Topic,
    topics: Receiver<Topic>,
    /// Position of the last event that was taken from the store.
    after: i64,
    /// Taken from the store, not yet sent.
    waiting: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    fn stream(self) -> impl Stream<Item = Event> {
        stream::unfold(self, async |mut feed| {
            let event = feed.next().await;
            Some((event, feed))
        })
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return event;
            }
            let (app, actor) = (&self.caller.app, &self.caller.actor);
            match app.notifications.feed_after(actor, self.after, BATCH).await {
                Ok(events) => {
                    self.after = events.last().map_or(self.after, |last| last.seq);
                    self.waiting.extend(events.into_iter().filter_map(sent));
                }
                Err(error) => {
                    tracing::warn!(%error, "the feed cannot be read now");
                    tokio::time::sleep(POLL).await;
                }
            }
            if self.waiting.is_empty() {
                // Heard or not, the store says what is new.
                let _ = timeout(POLL, self.topic.heard(&mut self.topics)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positions_with_nothing_missing_after_them_are_resumed() {
        let kept = Some((5, 9));
        for (seen, after) in [
            ("4", Some(4)),
            ("7", Some(7)),
            ("9", Some(9)),
            ("09", Some(9)),
        ] {
            assert_eq!(resume(seen, kept), after, "{seen}");
        }
        for lost in [
            "3",
            "0",
            "10",
            "-1",
            "",
            "x",
            "7.0",
            " 7",
            "+7",
            "99999999999999999999",
        ] {
            assert_eq!(resume(lost, kept), None, "{lost}");
        }
        assert_eq!(resume("0", None), Some(0));
        assert_eq!(resume("1", None), None);
    }

    #[test]
    fn a_reset_carries_the_position_to_resume_from() {
        let event = reset(9);
        assert_eq!(event.id.as_deref(), Some("9"));
        assert_eq!(event.event.as_deref(), Some("reset"));
    }
}
