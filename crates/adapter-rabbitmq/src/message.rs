//! Events as messages: the envelope is the body, its attributes are headers, so that nobody needs to
//! open a body to route it.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta};
use domain::shared::{Instant, WorkspaceId};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use ports::bus::{EventId, OutboxEvent, Subscription};
use serde::Deserialize;

/// The largest body that is sent or stored.
pub(crate) const MAX_BODY: usize = 8 << 20;

const ID: &str = "ce-id";
const TYPE: &str = "ce-type";
const SUBJECT: &str = "ce-subject";
const WORKSPACE: &str = "ce-workspace";
const VERSION: &str = "ce-aggregateversion";
/// Subscriptions that have a copy of their own.
const ADDRESSED: &str = "x-addressed";
/// Attempts to store it that failed.
const ATTEMPTS: &str = "x-attempts";
const DEAD_REASON: &str = "x-dead-reason";
/// In milliseconds since 1970.
const DEAD_AT: &str = "x-dead-at";

/// Keeps the message over a restart of the broker.
const PERSISTENT: u8 = 2;

/// What a broker keeps: properties, body, and where it goes.
#[derive(Clone)]
pub(crate) struct Message {
    pub exchange: String,
    pub routing_key: String,
    /// Comes back when no queue takes it.
    pub mandatory: bool,
    pub properties: BasicProperties,
    pub body: Vec<u8>,
}

impl Message {
    /// A message for one queue.
    pub fn to_queue(queue: String, properties: BasicProperties, body: Vec<u8>) -> Self {
        Self {
            exchange: crate::topology::TO_QUEUE.to_owned(),
            routing_key: queue,
            mandatory: true,
            properties,
            body,
        }
    }
}

/// What the envelope says and the event does not carry.
#[derive(Default, Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
}

/// The properties of an event, of which `addressed` have copies of their own.
pub(crate) fn properties<'a>(
    event: &OutboxEvent,
    addressed: impl Iterator<Item = &'a Subscription>,
) -> BasicProperties {
    let envelope: Envelope<'_> = serde_json::from_slice(&event.payload).unwrap_or_default();
    let mut headers = Headers::default();
    headers
        .text("ce-specversion", "1.0")
        .text(ID, event.event_id.as_str())
        .text(TYPE, &event.event_type)
        .text(SUBJECT, &event.aggregate)
        .text(WORKSPACE, event.workspace.as_str())
        .text(VERSION, &event.aggregate_version.to_string());
    for (name, value) in [
        ("ce-source", &envelope.source),
        ("ce-time", &envelope.time),
        ("ce-traceparent", &envelope.traceparent),
        ("traceparent", &envelope.traceparent),
    ] {
        if let Some(value) = value {
            headers.text(name, value);
        }
    }
    let addressed: Vec<&str> = addressed.map(Subscription::as_str).collect();
    if !addressed.is_empty() {
        headers.text(ADDRESSED, &addressed.join(","));
    }
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/cloudevents+json".into())
        .with_headers(headers.0);
    // A short string of the protocol; the header has the id in any length.
    match ShortString::try_new(event.event_id.as_str()) {
        Ok(id) => properties.with_message_id(id),
        Err(_) => properties,
    }
}

/// The event in a message.
///
/// # Errors
/// What is wrong with it, without its content.
pub(crate) fn event(
    properties: &BasicProperties,
    body: &[u8],
) -> Result<OutboxEvent, &'static str> {
    if body.len() > MAX_BODY {
        return Err("the message is too large");
    }
    let text = |name, missing| header(properties, name).ok_or(missing);
    let version = text(VERSION, "no aggregate version in the headers")?;
    let workspace = text(WORKSPACE, "no workspace in the headers")?;
    let event = OutboxEvent {
        event_id: EventId::new(text(ID, "no event id in the headers")?),
        event_type: text(TYPE, "no event type in the headers")?,
        aggregate: text(SUBJECT, "no subject in the headers")?,
        aggregate_version: version
            .parse()
            .map_err(|_| "no number as aggregate version")?,
        workspace: WorkspaceId::parse(&workspace).map_err(|_| "no valid workspace")?,
        payload: body.to_vec(),
    };
    Ok(event)
}

/// Whether the subscription has a copy of its own beside this message.
pub(crate) fn has_own_copy(properties: &BasicProperties, subscription: &Subscription) -> bool {
    header(properties, ADDRESSED)
        .is_some_and(|all| all.split(',').any(|name| name == subscription.as_str()))
}

/// Attempts to store the message that failed.
pub(crate) fn attempts(properties: &BasicProperties) -> u32 {
    header(properties, ATTEMPTS)
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}

/// What was done with a message and why.
pub(crate) struct Given {
    pub attempts: u32,
    pub reason: String,
    pub at: Instant,
}

/// Properties for a message that waits after a failed attempt.
pub(crate) fn waiting(properties: &BasicProperties, attempts: u32) -> BasicProperties {
    let mut headers = Headers::own(properties);
    headers.text(ATTEMPTS, &attempts.to_string());
    properties.clone().with_headers(headers.0)
}

/// Properties for a message that is given up.
pub(crate) fn given_up(properties: &BasicProperties, why: &Given) -> BasicProperties {
    let mut headers = Headers::own(properties);
    headers
        .text(ATTEMPTS, &why.attempts.to_string())
        .text(DEAD_REASON, &why.reason)
        .text(DEAD_AT, &why.at.timestamp_millis().to_string());
    properties.clone().with_headers(headers.0)
}

/// Properties for a message that starts anew.
pub(crate) fn renewed(properties: &BasicProperties) -> BasicProperties {
    let headers = Headers::own(properties);
    properties
        .clone()
        .with_headers(headers.0)
        .with_delivery_mode(PERSISTENT)
}

/// Why and when a message was given up, by us or by the broker.
pub(crate) fn why_given_up(properties: &BasicProperties) -> Given {
    let millis = header(properties, DEAD_AT).and_then(|at| at.parse().ok());
    let at = millis
        .and_then(DateTime::from_timestamp_millis)
        .or_else(|| death_time(properties))
        .unwrap_or(Instant::UNIX_EPOCH);
    let reason = header(properties, DEAD_REASON).unwrap_or_else(|| {
        let reason = header(properties, "x-first-death-reason").unwrap_or_default();
        format!("given up by the broker: {reason}")
    });
    let attempts = match attempts(properties) {
        0 => crate::topology::DELIVERY_LIMIT,
        counted => counted,
    };
    Given {
        attempts,
        reason,
        at,
    }
}

/// When the broker gave it up first, in whole seconds.
fn death_time(properties: &BasicProperties) -> Option<Instant> {
    let headers = properties.headers().as_ref()?;
    let deaths = headers.inner().get("x-death")?.as_array()?;
    let death = deaths.as_slice().first()?.as_field_table()?;
    let seconds = i64::try_from(death.inner().get("time")?.as_timestamp()?).ok()?;
    Instant::UNIX_EPOCH.checked_add_signed(TimeDelta::try_seconds(seconds)?)
}

/// A header as text. Other clients may write numbers.
fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    let headers = properties.headers().as_ref()?;
    match headers.inner().get(name)? {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        AMQPValue::LongInt(number) => Some(number.to_string()),
        AMQPValue::LongLongInt(number) => Some(number.to_string()),
        _ => None,
    }
}

#[derive(Default)]
struct Headers(FieldTable);

impl Headers {
    /// What the producer wrote: without what brokers and consumers have added, by which the broker
    /// would take a message that is sent again for one that goes in circles.
    fn own(properties: &BasicProperties) -> Self {
        let mut headers = Self::default();
        let all = properties.headers().as_ref();
        for (name, value) in all.map(FieldTable::inner).into_iter().flatten() {
            let added = name.as_str().starts_with("x-") && name.as_str() != ADDRESSED;
            if !added {
                headers.0.insert(name.clone(), value.clone());
            }
        }
        headers
    }

    fn text(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.0
            .insert(name.into(), AMQPValue::LongString(value.into()));
        self
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
