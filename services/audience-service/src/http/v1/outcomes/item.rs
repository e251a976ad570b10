//! One reported outcome.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::{
    contact::Document,
    recycle::{Outcome, OutcomeFact},
    shared::Instant,
};
use ports::store::OutcomeRecord;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::v1::customers::IntegerOrText;

/// How far a reporter's clock may be ahead.
const AHEAD: TimeDelta = TimeDelta::days(1);
const MAX_CHANNEL: usize = 32;
const MAX_EXTERNAL_ID: usize = 255;
const MEMBERS: [&str; 5] = [
    "document",
    "channel",
    "outcome",
    "occurred_at",
    "external_id",
];

/// How an attempt to reach a person ended.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; items are read one by one")]
pub struct OutcomeItem {
    /// Of the person, in any form that normalises to it.
    document: String,
    /// `email`, `sms`, `whatsapp`, `push`, `voice` or another: `[a-z0-9_-]`, up to 32.
    #[schema(example = "voice")]
    channel: String,
    /// `answered`, `no_answer`, `busy`, `failed`, `converted`, `invalid_number` or `opted_out`.
    #[schema(example = "no_answer")]
    outcome: String,
    /// RFC 3339, at most a day ahead of now.
    #[schema(example = "2026-03-01T12:00:00.000Z")]
    occurred_at: String,
    /// Identity in the reporting system: an integer or a text of up to 255 characters.
    #[schema(value_type = Option<IntegerOrText>)]
    external_id: Option<Value>,
}

/// The first rule that an item breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// The member at fault, empty for the item.
    pub field: String,
    /// Stable code.
    pub code: &'static str,
    /// For a person; never repeats a value.
    pub detail: String,
}

/// Reads an item.
pub fn parse(item: Value, now: Instant) -> Result<OutcomeRecord, Broken> {
    let Value::Object(members) = item else {
        return Err(broken("", "not_an_object", "the item is not an object"));
    };
    if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        let detail = format!("an outcome may have {}", MEMBERS.join(", "));
        return Err(broken("", "unknown_member", detail));
    }
    let document = Document::parse(required(&members, "document")?)
        .map_err(|error| broken("document", error.code(), error.to_string()))?;
    let channel = required(&members, "channel")?.trim().to_ascii_lowercase();
    let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if channel.is_empty() || channel.len() > MAX_CHANNEL || !channel.bytes().all(plain) {
        let detail = "1 to 32 letters, digits, `_` or `-`";
        return Err(broken("channel", "invalid_channel", detail));
    }
    let outcome: Outcome = required(&members, "outcome")?.parse().map_err(|()| {
        let names: Vec<_> = Outcome::ALL.iter().map(|o| o.as_str()).collect();
        broken(
            "outcome",
            "unknown_value",
            format!("one of {}", names.join(", ")),
        )
    })?;
    let occurred_at = DateTime::parse_from_rfc3339(required(&members, "occurred_at")?)
        .map_err(|_| broken("occurred_at", "invalid_time", "an RFC 3339 time"))?;
    if occurred_at > now + AHEAD {
        let detail = "more than a day ahead";
        return Err(broken("occurred_at", "in_the_future", detail));
    }
    let external_id = match members.get("external_id") {
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Some(id.to_string()),
        _ => text(&members, "external_id")?.map(str::to_owned),
    };
    let fits = |id: &str| !id.contains('\0') && (1..=MAX_EXTERNAL_ID).contains(&id.chars().count());
    if external_id.as_deref().is_some_and(|id| !fits(id)) {
        let detail = "1 to 255 characters";
        return Err(broken("external_id", "invalid_external_id", detail));
    }
    Ok(OutcomeRecord {
        document,
        fact: OutcomeFact {
            channel,
            outcome,
            occurred_at: occurred_at.with_timezone(&Utc).trunc_subsecs(3),
        },
        external_id,
        recorded_at: now,
    })
}

fn required<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Broken> {
    text(members, name)?.ok_or_else(|| broken(name, "required", "the member is required"))
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Broken> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(broken(name, "invalid_type", "must be a string")),
    }
}

fn broken(field: &str, code: &'static str, detail: impl Into<String>) -> Broken {
    Broken {
        field: field.to_owned(),
        code,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(name: &str, value: Value) -> Result<OutcomeRecord, Broken> {
        let mut item = json!({
            "document": "123.456.789-09", "channel": " SMS ", "outcome": "busy",
            "occurred_at": "2026-03-01T09:00:00.1239-03:00", "external_id": "call-1",
        });
        item[name] = value;
        parse(item, "2026-03-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn values_are_normalised() {
        let record = with("external_id", Value::Null).unwrap();
        assert_eq!(record.document.as_str(), "12345678909");
        assert_eq!(record.fact.channel, "sms");
        let at = record.fact.occurred_at.to_rfc3339();
        assert_eq!(at, "2026-03-01T12:00:00.123+00:00");
        assert_eq!(record.external_id, None);
        let record = with("external_id", json!(382_750_741_455_962_113_u64)).unwrap();
        assert_eq!(record.external_id.as_deref(), Some("382750741455962113"));
    }

    #[test]
    fn a_clock_that_is_a_day_ahead_is_believed() {
        let record = with("occurred_at", json!("2026-03-02T12:00:00Z")).unwrap();
        assert_eq!(
            record.fact.occurred_at.to_rfc3339(),
            "2026-03-02T12:00:00+00:00"
        );
    }

    #[test]
    fn broken_items_are_refused() {
        for (name, value, code) in [
            ("document", json!(" "), "document_empty"),
            ("document", json!("1,23457E+10"), "shortened_number"),
            ("document", json!(12), "invalid_type"),
            ("document", Value::Null, "required"),
            ("channel", json!("e mail"), "invalid_channel"),
            ("channel", json!("x".repeat(33)), "invalid_channel"),
            ("outcome", json!("Busy"), "unknown_value"),
            ("occurred_at", json!("2026-03-01"), "invalid_time"),
            ("occurred_at", json!(1), "invalid_type"),
            (
                "occurred_at",
                json!("2026-03-02T12:00:00.001Z"),
                "in_the_future",
            ),
            ("external_id", json!(""), "invalid_external_id"),
            ("external_id", json!(1.5), "invalid_type"),
            ("external_id", json!("x".repeat(256)), "invalid_external_id"),
            ("chanel", json!("sms"), "unknown_member"),
        ] {
            assert_eq!(
                with(name, value.clone()).unwrap_err().code,
                code,
                "{name} {value}"
            );
        }
        assert_eq!(
            parse(json!([]), DateTime::UNIX_EPOCH).unwrap_err().code,
            "not_an_object"
        );
    }
}
