//! Whether a person fulfils a predicate.

use std::{borrow::Cow, cmp::Ordering};

use chrono::TimeDelta;
use serde_json::{Number, Value};

use super::{
    Bound, Condition, Field, Group, Logic, Notation, Predicate, Test, Values, operand::Scale,
};
use crate::{
    contact::{ContactBody, Document},
    shared::{Instant, fold_key},
};

/// Attribute that keeps a contact's labels, separated by commas.
const TAGS: &str = "tags";

/// What is known about the person who is judged.
pub trait Facts {
    /// A value, if there is one.
    fn value(&self, field: &Field) -> Option<Fact<'_>>;

    /// Whether they carry any of these labels, each as its [`fold_key`].
    fn has_tag(&self, any: &[String]) -> bool;
}

/// A contact as what is known about a person.
#[derive(Clone, Copy)]
pub struct ContactFacts<'a> {
    /// Its key.
    pub document: &'a Document,
    /// Its values.
    pub body: &'a ContactBody,
}

/// What a person is judged by besides what is known about them.
#[derive(Clone, Copy)]
struct Reading<'a> {
    notation: &'a Notation,
    now: Instant,
}

/// A value.
pub enum Fact<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(&'a Number),
    /// A truth value.
    Bool(bool),
    /// An instant.
    Date(Instant),
}

impl Predicate {
    /// Whether the person fulfils it, at the instant `now`.
    pub fn matches(&self, facts: &impl Facts, now: Instant) -> bool {
        let notation = &self.notation;
        let reading = Reading { notation, now };
        let of = |exclude: bool| {
            let groups = self.groups.iter().filter(move |g| g.exclude == exclude);
            groups.map(move |g| g.matches(facts, reading))
        };
        self.between.holds(of(false)) && !Logic::Or.holds(of(true))
    }

    /// How many values of the person cannot be read as what conditions compare them with, and so
    /// match nothing. A blank one is not written at all, and each counts once however many
    /// conditions name it.
    pub fn unreadable(&self, facts: &impl Facts) -> usize {
        let mut wanted: Vec<(&Field, Scale)> = Vec::new();
        for condition in self.groups.iter().flat_map(|group| &group.conditions) {
            if let Condition::Property { field, test } = condition
                && let Some(scale) = test.scale()
                && !wanted.contains(&(field, scale))
            {
                wanted.push((field, scale));
            }
        }
        let unread = |(field, scale): &&(&Field, Scale)| {
            let actual = facts.value(field);
            actual.is_some_and(|actual| !actual.reads_as(*scale, &self.notation))
        };
        wanted.iter().filter(unread).count()
    }
}

impl Group {
    fn matches(&self, facts: &impl Facts, reading: Reading<'_>) -> bool {
        let conditions = self.conditions.iter();
        self.logic
            .holds(conditions.map(|c| c.matches(facts, reading)))
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
    fn matches(&self, facts: &impl Facts, reading: Reading<'_>) -> bool {
        match self {
            Self::Property { field, test } => test.holds(facts.value(field), reading),
            Self::Tag { any, negated } => facts.has_tag(any) != *negated,
        }
    }
}

impl Facts for ContactFacts<'_> {
    fn value(&self, field: &Field) -> Option<Fact<'_>> {
        let Self { document, body } = *self;
        match field {
            Field::Document => Some(Fact::Text(document.as_str())),
            Field::Name => body.name.as_deref().map(Fact::Text),
            Field::Phone => body.phone.as_deref().map(Fact::Text),
            Field::Email => body.email.as_deref().map(Fact::Text),
            Field::DocumentKind => Some(Fact::Text(document.kind().as_str())),
            Field::DocumentValid => Some(Fact::Bool(document.valid())),
            Field::PhoneValid => body.phone.as_ref().map(|_| Fact::Bool(body.phone_valid)),
            Field::EmailValid => body.email.as_ref().map(|_| Fact::Bool(body.email_valid)),
            Field::UpdatedAt => Some(Fact::Date(body.updated_at)),
            Field::Attribute(name) => match body.attributes.get(name)? {
                Value::String(text) => Some(Fact::Text(text)),
                Value::Number(number) => Some(Fact::Number(number)),
                Value::Bool(value) => Some(Fact::Bool(*value)),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            },
        }
    }

    fn has_tag(&self, any: &[String]) -> bool {
        let tags = self.body.attributes.get(TAGS).and_then(Value::as_str);
        let mut labels = tags.unwrap_or_default().split(',');
        labels.any(|label| any.contains(&fold_key(label.trim())))
    }
}

impl Test {
    /// What it reads values as; `None` where it takes them as they are.
    fn scale(&self) -> Option<Scale> {
        match self {
            Self::Greater(bound)
            | Self::GreaterOrEqual(bound)
            | Self::Less(bound)
            | Self::LessOrEqual(bound)
            | Self::Between(bound, _) => Some(bound.scale()),
            Self::InLastDays(_) => Some(Scale::Date),
            Self::In(_)
            | Self::NotIn(_)
            | Self::Contains(_)
            | Self::StartsWith(_)
            | Self::Exists
            | Self::NotExists => None,
        }
    }

    fn holds(&self, actual: Option<Fact<'_>>, reading: Reading<'_>) -> bool {
        let Some(actual) = actual else {
            return matches!(self, Self::NotExists | Self::NotIn(_));
        };
        let Reading { notation, now } = reading;
        let order = |bound: &Bound| actual.order(bound, notation);
        match self {
            Self::Exists => true,
            Self::NotExists => false,
            Self::In(values) => actual.is_in(values, notation),
            Self::NotIn(values) => !actual.is_in(values, notation),
            Self::Contains(part) => actual.folded().is_some_and(|text| text.contains(part)),
            Self::StartsWith(part) => actual.folded().is_some_and(|text| text.starts_with(part)),
            Self::Greater(bound) => order(bound).is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual(bound) => order(bound).is_some_and(Ordering::is_ge),
            Self::Less(bound) => order(bound).is_some_and(Ordering::is_lt),
            Self::LessOrEqual(bound) => order(bound).is_some_and(Ordering::is_le),
            Self::Between(low, high) => {
                order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
            }
            Self::InLastDays(days) => actual.date(notation).is_some_and(|at| {
                at <= now && now.signed_duration_since(at) <= TimeDelta::days(i64::from(*days))
            }),
        }
    }
}

impl<'a> Fact<'a> {
    fn is_in(&self, values: &Values, notation: &Notation) -> bool {
        match self {
            Self::Text(text) => values.has_text(text, notation),
            Self::Number(number) => values.has_number(number),
            Self::Bool(value) => values.has_bool(*value),
            Self::Date(at) => values.has_date(*at),
        }
    }

    fn folded(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(fold_key(text).into()),
            Self::Number(number) => Some(number.to_string().into()),
            Self::Bool(_) | Self::Date(_) => None,
        }
    }

    fn order(&self, bound: &Bound, notation: &Notation) -> Option<Ordering> {
        match self {
            Self::Text(text) => bound.order_of_text(text, notation),
            Self::Number(number) => bound.order_of_number(number),
            Self::Date(at) => bound.order_of_date(*at),
            Self::Bool(_) => None,
        }
    }

    fn reads_as(&self, scale: Scale, notation: &Notation) -> bool {
        match (self, scale) {
            (Self::Text(text), _) if text.trim().is_empty() => true,
            (Self::Text(text), Scale::Number) => notation.number(text).is_some(),
            (Self::Text(_), Scale::Date) => self.date(notation).is_some(),
            (Self::Number(_), _) => scale == Scale::Number,
            (Self::Date(_), _) => scale == Scale::Date,
            (Self::Bool(_), _) => false,
        }
    }

    fn date(&self, notation: &Notation) -> Option<Instant> {
        match self {
            Self::Text(text) => notation.instant(text),
            Self::Date(at) => Some(*at),
            Self::Number(_) | Self::Bool(_) => None,
        }
    }
}
