//! Reported outcomes.

use chrono::TimeDelta;
use serde_json::Value;

use crate::{
    contact::Document,
    shared::{Instant, ItemError, Members, text_enum},
};

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

text_enum!(
    /// How an attempt to reach a person ended.
    Outcome {
        /// Spoke with the person.
        Answered = "answered",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// The line was busy.
        Busy = "busy",
        /// The attempt failed on the way.
        Failed = "failed",
        /// Reached its goal.
        Converted = "converted",
        /// The number does not exist.
        InvalidNumber = "invalid_number",
        /// The person asked not to be contacted. Not an attempt.
        OptedOut = "opted_out",
    }
);

/// One reported outcome for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeFact {
    /// Channel in lower case (`email`, `sms`, `whatsapp`, `push`, `voice`, …).
    pub channel: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it happened.
    pub occurred_at: Instant,
}

/// One reported outcome.
#[derive(Debug, Clone)]
pub struct OutcomeRecord {
    /// The person.
    pub document: Document,
    /// What happened.
    pub fact: OutcomeFact,
    /// Identity in the reporting system; where absent, document, channel and time identify it.
    pub external_id: Option<String>,
    /// When it was reported.
    pub recorded_at: Instant,
}

/// Reads an item of a report.
///
/// # Errors
/// The first rule that the item breaks.
pub fn parse_outcome(item: Value, now: Instant) -> Result<OutcomeRecord, ItemError> {
    let mut members = Members::try_from(item)?;
    members.only(
        &MEMBERS,
        &format!("an outcome may have {}", MEMBERS.join(", ")),
    )?;
    let document = Document::parse(&members.required("document")?)
        .map_err(|error| ItemError::new("document", error.code(), error.to_string()))?;
    let channel = members.required("channel")?.trim().to_ascii_lowercase();
    let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if channel.is_empty() || channel.len() > MAX_CHANNEL || !channel.bytes().all(plain) {
        let detail = "1 to 32 letters, digits, `_` or `-`";
        return Err(ItemError::new("channel", "invalid_channel", detail));
    }
    let outcome: Outcome = members.required("outcome")?.parse().map_err(|()| {
        let names: Vec<_> = Outcome::ALL.iter().map(|o| o.as_str()).collect();
        let detail = format!("one of {}", names.join(", "));
        ItemError::new("outcome", "unknown_value", detail)
    })?;
    let occurred_at = members.instant("occurred_at")?;
    if occurred_at > now + AHEAD {
        let detail = "more than a day ahead";
        return Err(ItemError::new("occurred_at", "in_the_future", detail));
    }
    Ok(OutcomeRecord {
        document,
        fact: OutcomeFact {
            channel,
            outcome,
            occurred_at,
        },
        external_id: external_id(&mut members)?,
        recorded_at: now,
    })
}

fn external_id(members: &mut Members) -> Result<Option<String>, ItemError> {
    let id = match members.any("external_id") {
        None => return Ok(None),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => id.to_string(),
        Some(Value::String(id)) => id,
        Some(_) => {
            let detail = "must be a string";
            return Err(ItemError::new("external_id", "invalid_type", detail));
        }
    };
    if id.contains('\0') || !(1..=MAX_EXTERNAL_ID).contains(&id.chars().count()) {
        let detail = "1 to 255 characters";
        return Err(ItemError::new("external_id", "invalid_external_id", detail));
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(name: &str, value: Value) -> Result<OutcomeRecord, ItemError> {
        let mut item = json!({
            "document": "123.456.789-09", "channel": " SMS ", "outcome": "busy",
            "occurred_at": "2026-03-01T09:00:00.1239-03:00", "external_id": "call-1",
        });
        item[name] = value;
        parse_outcome(item, "2026-03-01T12:00:00Z".parse().unwrap())
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
            parse_outcome(json!([]), Instant::UNIX_EPOCH)
                .unwrap_err()
                .code,
            "not_an_object"
        );
    }
}
