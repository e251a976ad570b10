//! What conditions compare with.

use std::{cmp::Ordering, collections::BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::shared::Instant;

/// Values of `equals` and `in`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Values {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    texts: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<Number>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bools: Vec<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dates: Vec<Bound>,
}

impl Values {
    pub(super) fn add_text(&mut self, text: String) {
        self.texts.insert(text);
    }

    pub(super) fn add_bool(&mut self, value: bool) {
        self.bools.push(value);
    }

    pub(super) fn add_date(&mut self, date: Bound) {
        self.dates.push(date);
    }

    /// Adds a scalar; `false` when it is none.
    pub(super) fn add(&mut self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.add_text(text.clone()),
            Value::Number(number) => self.numbers.push(number.clone()),
            Value::Bool(value) => self.add_bool(*value),
            Value::Null | Value::Array(_) | Value::Object(_) => return false,
        }
        true
    }

    pub(super) fn has_text(&self, text: &str) -> bool {
        self.texts.contains(text)
            || (!self.numbers.is_empty() && number(text).is_some_and(|n| self.has_equal(&n)))
            || self
                .bools
                .iter()
                .any(|b| text.eq_ignore_ascii_case(if *b { "true" } else { "false" }))
    }

    pub(super) fn has_number(&self, number: &Number) -> bool {
        self.has_equal(number) || self.texts.contains(&number.to_string())
    }

    pub(super) fn has_bool(&self, value: bool) -> bool {
        self.bools.contains(&value) || self.texts.contains(if value { "true" } else { "false" })
    }

    pub(super) fn has_date(&self, at: Instant) -> bool {
        self.dates
            .iter()
            .any(|bound| bound.order_of_date(at) == Some(Ordering::Equal))
    }

    fn has_equal(&self, number: &Number) -> bool {
        self.numbers
            .iter()
            .any(|n| compare(n, number) == Some(Ordering::Equal))
    }
}

/// A number or a date that values are ordered against.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// A number.
    Number(Number),
    /// From the first instant to the last one, both included; the same for an instant.
    Date(Instant, Instant),
}

impl Bound {
    /// A number, numeric text, or a date.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::Number(n) => Some(Self::Number(n.clone())),
            Value::String(text) => number(text).map(Self::Number).or_else(|| Self::date(text)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// RFC 3339, or a day in UTC.
    pub(super) fn date(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Date(at.to_utc(), at.to_utc()));
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10)?;
        let first: DateTime<Utc> = day.and_time(NaiveTime::MIN).and_utc();
        let last = first.checked_add_signed(TimeDelta::days(1) - TimeDelta::nanoseconds(1))?;
        Some(Self::Date(first, last))
    }

    /// Where an instant lies relative to this bound; `None` for a number.
    pub(super) fn order_of_date(&self, at: Instant) -> Option<Ordering> {
        match self {
            Self::Date(first, _) if at < *first => Some(Ordering::Less),
            Self::Date(_, last) if at > *last => Some(Ordering::Greater),
            Self::Date(..) => Some(Ordering::Equal),
            Self::Number(_) => None,
        }
    }

    /// Where a number lies relative to this bound; `None` for a date.
    pub(super) fn order_of_number(&self, value: &Number) -> Option<Ordering> {
        match self {
            Self::Number(bound) => compare(value, bound),
            Self::Date(..) => None,
        }
    }

    /// Where a text lies relative to this bound, read as what the bound is.
    pub(super) fn order_of_text(&self, text: &str) -> Option<Ordering> {
        match self {
            Self::Number(_) => self.order_of_number(&number(text)?),
            Self::Date(..) => self.order_of_date(instant(text)?),
        }
    }
}

/// The first instant of a date.
pub(super) fn instant(text: &str) -> Option<Instant> {
    match Bound::date(text)? {
        Bound::Date(first, _) => Some(first),
        Bound::Number(_) => None,
    }
}

/// A decimal number in a text.
pub(super) fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    if !text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
    {
        return None;
    }
    let whole = text.parse::<i64>().ok().map(Number::from);
    let whole = whole.or_else(|| text.parse::<u64>().ok().map(Number::from));
    whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
}

/// Exact between whole numbers, so that long keys kept as numbers are told apart.
fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}
