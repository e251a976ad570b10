//! Server-sent events.

use std::{convert::Infallible, fmt::Write, time::Duration};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE},
    web::Bytes,
};
use futures::{Stream, StreamExt, stream};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// A comment is sent this often, so that proxies keep the connection and a gone client is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// First bytes of every stream: the headers leave at once, and clients return after a second.
const OPENING: &str = "retry: 1000\n\n";

/// An event as a client reads it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; events are written line by line")]
pub struct EventText {
    /// To go on after, in `Last-Event-ID`.
    id: Option<String>,
    /// Its type.
    event: Option<String>,
    /// JSON.
    data: Option<String>,
    /// Milliseconds until a client that was cut off should come again.
    retry: Option<i64>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Comes back as `Last-Event-ID` when the client reconnects.
    pub id: Option<String>,
    /// Its type; `message` where absent.
    pub event: Option<String>,
    /// Its payload, any number of lines.
    pub data: String,
}

impl Event {
    fn encode(&self) -> Bytes {
        let mut text = String::new();
        for (field, value) in [("id", &self.id), ("event", &self.event)] {
            if let Some(value) = value {
                let value = value.replace(['\r', '\n', '\0'], " ");
                let _ = writeln!(text, "{field}: {value}");
            }
        }
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            let _ = writeln!(text, "data: {line}");
        }
        text.push('\n');
        Bytes::from(text)
    }
}

/// Sends events as they come until the stream ends, the client goes, or `shutdown` fires (an open
/// stream would hold up the end of the process).
pub fn respond<S>(events: S, shutdown: CancellationToken) -> HttpResponse
where
    S: Stream<Item = Event> + 'static,
{
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        // Compression would hold events back.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(frames(events, shutdown))
}

struct Frames<S> {
    events: std::pin::Pin<Box<S>>,
    keep_alive: Interval,
    shutdown: CancellationToken,
}

fn frames<S>(
    events: S,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>>
where
    S: Stream<Item = Event>,
{
    let start = tokio::time::Instant::now() + KEEP_ALIVE;
    let mut keep_alive = tokio::time::interval_at(start, KEEP_ALIVE);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let frames = Frames {
        events: Box::pin(events),
        keep_alive,
        shutdown,
    };
    let following = stream::unfold(frames, async |mut frames| {
        let frame = tokio::select! {
            biased;
            () = frames.shutdown.cancelled() => None,
            event = frames.events.next() => event.map(|event| event.encode()),
            _ = frames.keep_alive.tick() => Some(Bytes::from_static(b": keep-alive\n\n")),
        };
        frame.map(|frame| {
            frames.keep_alive.reset();
            (Ok(frame), frames)
        })
    });
    stream::iter([Ok(Bytes::from_static(OPENING.as_bytes()))]).chain(following)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, data: &str) -> Event {
        Event {
            id: Some(id.to_owned()),
            event: Some("note".to_owned()),
            data: data.to_owned(),
        }
    }

    #[test]
    fn lines_of_the_payload_are_fields_and_nothing_breaks_out_of_its_field() {
        let text = |event: Event| String::from_utf8(event.encode().to_vec()).unwrap();
        assert_eq!(
            text(event("7", "a\nb\r\nc\rd")),
            "id: 7\nevent: note\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
        );
        assert_eq!(
            text(event("7\ndata: x", "")),
            "id: 7 data: x\nevent: note\ndata: \n\n"
        );
        assert_eq!(
            text(Event {
                data: "x".into(),
                ..Event::default()
            }),
            "data: x\n\n"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_is_kept_alive_until_the_shutdown() {
        let shutdown = CancellationToken::new();
        let events = stream::iter([event("1", "x")]).chain(stream::pending());
        let mut frames = Box::pin(frames(events, shutdown.clone()));
        let mut next = async || frames.next().await.map(|frame| frame.unwrap());
        assert_eq!(next().await.as_deref(), Some(OPENING.as_bytes()));
        assert!(
            next()
                .await
                .is_some_and(|frame| frame.starts_with(b"id: 1\n"))
        );
        let before = tokio::time::Instant::now();
        assert_eq!(next().await.as_deref(), Some(&b": keep-alive\n\n"[..]));
        assert_eq!(before.elapsed(), KEEP_ALIVE);
        shutdown.cancel();
        assert_eq!(next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_with_its_events() {
        let frames = frames(stream::iter([event("1", "x")]), CancellationToken::new());
        assert_eq!(frames.count().await, 2);
    }
}
