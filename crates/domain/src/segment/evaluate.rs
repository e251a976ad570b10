//! Whether a person fulfils a predicate.

use std::{borrow::Cow, cmp::Ordering};

use chrono::TimeDelta;

use super::{
    Bound, Condition, Fact, Facts, Field, Group, Logic, Notation, Predicate, Test, Values,
    operand::Scale,
};
use crate::shared::{Instant, fold_key};

/// What a person is judged by besides what is known about them.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) notation: &'a Notation,
    pub(super) now: Instant,
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
    pub(super) fn holds(self, mut results: impl Iterator<Item = bool>) -> bool {
        match self {
            Self::And => results.all(|held| held),
            Self::Or => results.any(|held| held),
        }
    }
}

impl Condition {
    pub(super) fn matches(&self, facts: &impl Facts, reading: Reading<'_>) -> bool {
        let now = reading.now;
        match self {
            Self::Property { field, test } => test.holds(facts.value(field), reading),
            Self::Tag { any, negated } => facts.has_tag(any) != *negated,
            Self::Sql(sql) => sql.holds(|field, test| test.holds(facts.value(field), reading)),
            Self::Consent { channel, said } => {
                let known = facts.life().map(|life| life.said(*channel));
                known == Some(*said)
            }
            Self::Event { events, occurrence } => {
                let counted = facts.life().map(|life| events.of(life, reading).count());
                counted.is_some_and(|count| occurrence.holds(count))
            }
            Self::Metric {
                events,
                measure,
                test,
            } => {
                let life = facts.life();
                let value = life.and_then(|life| measure.of(events.of(life, reading), now));
                value.is_some_and(|value| value.fulfils(*test))
            }
            Self::Rfm(test) => {
                let scores = facts.life().and_then(|life| life.rfm);
                scores.is_some_and(|scores| test.holds(scores))
            }
            Self::Audience { id, negated } => {
                let life = facts.life();
                life.is_some_and(|life| life.audiences.contains(id) != *negated)
            }
            Self::Communication {
                contacts,
                occurrence,
            } => {
                let counted = facts.life().map(|life| contacts.of(life, reading).count());
                counted.is_some_and(|count| occurrence.holds(count))
            }
        }
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

    pub(super) fn holds(&self, actual: Option<Fact<'_>>, reading: Reading<'_>) -> bool {
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
            Self::Amount(amount) => values.has_decimal(&amount.decimal()),
        }
    }

    fn folded(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(fold_key(text).into()),
            Self::Number(number) => Some(number.to_string().into()),
            Self::Bool(_) | Self::Date(_) | Self::Amount(_) => None,
        }
    }

    fn order(&self, bound: &Bound, notation: &Notation) -> Option<Ordering> {
        match self {
            Self::Text(text) => bound.order_of_text(text, notation),
            Self::Number(number) => bound.order_of_number(number),
            Self::Date(at) => bound.order_of_date(*at),
            Self::Amount(amount) => bound.order_of_decimal(&amount.decimal()),
            Self::Bool(_) => None,
        }
    }

    fn reads_as(&self, scale: Scale, notation: &Notation) -> bool {
        match (self, scale) {
            (Self::Text(text), _) if text.trim().is_empty() => true,
            (Self::Text(text), Scale::Number) => notation.number(text).is_some(),
            (Self::Text(_), Scale::Date) => self.date(notation).is_some(),
            (Self::Number(_) | Self::Amount(_), _) => scale == Scale::Number,
            (Self::Date(_), _) => scale == Scale::Date,
            (Self::Bool(_), _) => false,
        }
    }

    fn date(&self, notation: &Notation) -> Option<Instant> {
        match self {
            Self::Text(text) => notation.instant(text),
            Self::Date(at) => Some(*at),
            Self::Number(_) | Self::Bool(_) | Self::Amount(_) => None,
        }
    }
}
