//! Whether a contact fulfils a predicate.

use std::{borrow::Cow, cmp::Ordering};

use chrono::TimeDelta;
use serde_json::{Number, Value};

use super::{Bound, Condition, Field, Group, Logic, Predicate, Test, Values, operand};
use crate::{
    contact::{ContactBody, Document},
    shared::Instant,
};

/// Attribute that keeps a contact's labels, separated by commas.
const TAGS: &str = "tags";

enum Actual<'a> {
    Text(&'a str),
    Number(&'a Number),
    Bool(bool),
    Date(Instant),
}

impl Predicate {
    /// Whether the contact fulfils it, at the instant `now`.
    pub fn matches(&self, document: &Document, body: &ContactBody, now: Instant) -> bool {
        let of = |exclude: bool| {
            let groups = self.groups.iter().filter(move |g| g.exclude == exclude);
            groups.map(|g| g.matches(document, body, now))
        };
        self.between.holds(of(false)) && !Logic::Or.holds(of(true))
    }
}

impl Group {
    fn matches(&self, document: &Document, body: &ContactBody, now: Instant) -> bool {
        let conditions = self.conditions.iter();
        self.logic
            .holds(conditions.map(|c| c.matches(document, body, now)))
    }
}

impl Logic {
    fn holds(self, mut results: impl Iterator<Item = bool>) -> bool {
        match self {
            Self::And => results.all(|held| held),
            Self::Or => results.any(|held| held),
        }
    }
}

impl Condition {
    fn matches(&self, document: &Document, body: &ContactBody, now: Instant) -> bool {
        match self {
            Self::Property { field, test } => test.holds(field.of(document, body), now),
            Self::Tag { any, negated } => {
                let tags = body
                    .attributes
                    .get(TAGS)
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let mut labels = tags.split(',').map(|label| label.trim().to_lowercase());
                labels.any(|label| any.contains(&label)) != *negated
            }
        }
    }
}

impl Field {
    fn of<'a>(&self, document: &'a Document, body: &'a ContactBody) -> Option<Actual<'a>> {
        let text = |text: &'a Option<String>| text.as_deref().map(Actual::Text);
        match self {
            Self::Document => Some(Actual::Text(document.as_str())),
            Self::Name => text(&body.name),
            Self::Phone => text(&body.phone),
            Self::Email => text(&body.email),
            Self::DocumentKind => Some(Actual::Text(document.kind().as_str())),
            Self::DocumentValid => Some(Actual::Bool(document.valid())),
            Self::PhoneValid => body.phone.as_ref().map(|_| Actual::Bool(body.phone_valid)),
            Self::EmailValid => body.email.as_ref().map(|_| Actual::Bool(body.email_valid)),
            Self::UpdatedAt => Some(Actual::Date(body.updated_at)),
            Self::Attribute(name) => match body.attributes.get(name)? {
                Value::String(text) => Some(Actual::Text(text)),
                Value::Number(number) => Some(Actual::Number(number)),
                Value::Bool(value) => Some(Actual::Bool(*value)),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            },
        }
    }
}

impl Test {
    fn holds(&self, actual: Option<Actual<'_>>, now: Instant) -> bool {
        let Some(actual) = actual else {
            return matches!(self, Self::NotExists | Self::NotIn(_));
        };
        let order = |bound: &Bound| actual.order(bound);
        match self {
            Self::Exists => true,
            Self::NotExists => false,
            Self::In(values) => actual.is_in(values),
            Self::NotIn(values) => !actual.is_in(values),
            Self::Contains(part) => actual.lower().is_some_and(|text| text.contains(part)),
            Self::StartsWith(part) => actual.lower().is_some_and(|text| text.starts_with(part)),
            Self::Greater(bound) => order(bound).is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual(bound) => order(bound).is_some_and(Ordering::is_ge),
            Self::Less(bound) => order(bound).is_some_and(Ordering::is_lt),
            Self::LessOrEqual(bound) => order(bound).is_some_and(Ordering::is_le),
            Self::Between(low, high) => {
                order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
            }
            Self::InLastDays(days) => actual.date().is_some_and(|at| {
                at <= now && now.signed_duration_since(at) <= TimeDelta::days(i64::from(*days))
            }),
        }
    }
}

impl<'a> Actual<'a> {
    fn is_in(&self, values: &Values) -> bool {
        match self {
            Self::Text(text) => values.has_text(text),
            Self::Number(number) => values.has_number(number),
            Self::Bool(value) => values.has_bool(*value),
            Self::Date(at) => values.has_date(*at),
        }
    }

    fn lower(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.to_lowercase().into()),
            Self::Number(number) => Some(number.to_string().into()),
            Self::Bool(_) | Self::Date(_) => None,
        }
    }

    fn order(&self, bound: &Bound) -> Option<Ordering> {
        match self {
            Self::Text(text) => bound.order_of_text(text),
            Self::Number(number) => bound.order_of_number(number),
            Self::Date(at) => bound.order_of_date(*at),
            Self::Bool(_) => None,
        }
    }

    fn date(&self) -> Option<Instant> {
        match self {
            Self::Text(text) => operand::instant(text),
            Self::Date(at) => Some(*at),
            Self::Number(_) | Self::Bool(_) => None,
        }
    }
}
