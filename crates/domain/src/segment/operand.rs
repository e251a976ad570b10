//! What conditions compare with.

use std::{cmp::Ordering, collections::BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::Notation;
use crate::shared::{Decimal, Instant, fold_key, trimmed};

/// Values of `equals` and `in`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Values {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    texts: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    numbers: BTreeSet<Decimal>,
    /// The numbers that texts stand for: equal to a number of a contact, not to another text.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    in_texts: BTreeSet<Decimal>,
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

    /// Adds a scalar as an attribute keeps it; `false` when it is none.
    pub(super) fn add(&mut self, value: &Value, notation: &Notation) -> bool {
        match value {
            Value::String(text) => {
                self.in_texts.extend(notation.number(text));
                self.add_text(trimmed(text));
            }
            Value::Number(number) => self.numbers.extend(Decimal::of(number)),
            Value::Bool(value) => self.add_bool(*value),
            Value::Null | Value::Array(_) | Value::Object(_) => return false,
        }
        true
    }

    pub(super) fn has_text(&self, text: &str, notation: &Notation) -> bool {
        self.texts.contains(text)
            || (!self.numbers.is_empty()
                && notation
                    .number(text)
                    .is_some_and(|n| self.numbers.contains(&n)))
            || self.bools.iter().any(|b| fold_key(text) == b.to_string())
    }

    pub(super) fn has_number(&self, number: &Number) -> bool {
        Decimal::of(number).is_some_and(|n| self.has_decimal(&n))
    }

    pub(super) fn has_decimal(&self, number: &Decimal) -> bool {
        self.numbers.contains(number) || self.in_texts.contains(number)
    }

    /// The texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// The numbers, of which some stand in texts: these are equal to no other text.
    pub fn numbers(&self) -> impl Iterator<Item = (&Decimal, bool)> {
        let plain = self.numbers.iter().map(|number| (number, false));
        plain.chain(self.in_texts.iter().map(|number| (number, true)))
    }

    /// The truth values.
    pub fn bools(&self) -> &[bool] {
        &self.bools
    }

    /// The days and instants.
    pub fn dates(&self) -> &[Bound] {
        &self.dates
    }

    pub(super) fn has_bool(&self, value: bool) -> bool {
        self.bools.contains(&value) || self.texts.contains(if value { "true" } else { "false" })
    }

    pub(super) fn has_date(&self, at: Instant) -> bool {
        self.dates
            .iter()
            .any(|bound| bound.order_of_date(at) == Some(Ordering::Equal))
    }
}

/// What a bound is, and values must be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Number,
    Date,
}

/// A number or a date that values are ordered against.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A number.
    Number(Decimal),
    /// From the first instant to the last one, both included; the same for an instant.
    Date(Instant, Instant),
}

impl Bound {
    /// A number, numeric text, or a date.
    pub(super) fn parse(value: &Value, notation: &Notation) -> Option<Self> {
        match value {
            Value::Number(n) => Decimal::of(n).map(Self::Number),
            Value::String(text) => {
                let number = notation.number(text).map(Self::Number);
                number.or_else(|| Self::date(text, notation))
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A day, or an instant.
    pub(super) fn date(text: &str, notation: &Notation) -> Option<Self> {
        let (first, last) = notation.date(text)?;
        Some(Self::Date(first, last))
    }

    pub(super) fn scale(&self) -> Scale {
        match self {
            Self::Number(_) => Scale::Number,
            Self::Date(..) => Scale::Date,
        }
    }

    /// Whether this is no more than another bound of its kind.
    pub(super) fn begins_before_end_of(&self, high: &Self) -> bool {
        match (self, high) {
            (Self::Date(first, _), Self::Date(_, last)) => first <= last,
            (Self::Number(low), Self::Number(high)) => low <= high,
            (Self::Date(..), Self::Number(_)) | (Self::Number(_), Self::Date(..)) => false,
        }
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
            Self::Number(_) => self.order_of_decimal(&Decimal::of(value)?),
            Self::Date(..) => None,
        }
    }

    /// As [`Bound::order_of_number`].
    pub(super) fn order_of_decimal(&self, value: &Decimal) -> Option<Ordering> {
        match self {
            Self::Number(bound) => Some(value.cmp(bound)),
            Self::Date(..) => None,
        }
    }

    /// Where a text lies relative to this bound, read as what the bound is.
    pub(super) fn order_of_text(&self, text: &str, notation: &Notation) -> Option<Ordering> {
        match self {
            Self::Number(bound) => Some(notation.number(text)?.cmp(bound)),
            Self::Date(..) => self.order_of_date(notation.instant(text)?),
        }
    }
}
