//! Why somebody fulfils conditions, or does not.

use super::{Condition, Fact, Facts, Group, Logic, Predicate, evaluate::Reading};
use crate::shared::Instant;

/// What became of conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether they hold.
    pub holds: bool,
    /// Group by group.
    pub groups: Vec<GroupExplanation>,
}

/// What became of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupExplanation {
    /// Whether it holds; an excluded one that holds takes the person out.
    pub holds: bool,
    /// Whether it is an excluded one.
    pub exclude: bool,
    /// Condition by condition.
    pub conditions: Vec<ConditionExplanation>,
}

/// What became of a condition. The value may be personal data: `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct ConditionExplanation {
    /// Whether it holds.
    pub holds: bool,
    /// What was compared, where there was something.
    pub value: Option<String>,
}

impl std::fmt::Debug for ConditionExplanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConditionExplanation")
            .field("holds", &self.holds)
            .finish_non_exhaustive()
    }
}

impl Predicate {
    /// Why a person fulfils it at the instant `now`, or does not.
    pub fn explain(&self, facts: &impl Facts, now: Instant) -> Explanation {
        let notation = &self.notation;
        let reading = Reading { notation, now };
        let groups = self
            .groups
            .iter()
            .map(|group| group.explain(facts, reading));
        let groups: Vec<GroupExplanation> = groups.collect();
        let of = |exclude: bool| {
            let of = groups.iter().filter(move |group| group.exclude == exclude);
            of.map(|group| group.holds)
        };
        Explanation {
            holds: self.between.holds(of(false)) && !Logic::Or.holds(of(true)),
            groups,
        }
    }
}

impl Group {
    fn explain(&self, facts: &impl Facts, reading: Reading<'_>) -> GroupExplanation {
        let conditions = self
            .conditions
            .iter()
            .map(|condition| ConditionExplanation {
                holds: condition.matches(facts, reading),
                value: condition.compared(facts, reading),
            });
        let conditions: Vec<ConditionExplanation> = conditions.collect();
        GroupExplanation {
            holds: self.logic.holds(conditions.iter().map(|c| c.holds)),
            exclude: self.exclude,
            conditions,
        }
    }
}

impl Condition {
    /// The value that it compares.
    fn compared(&self, facts: &impl Facts, reading: Reading<'_>) -> Option<String> {
        match self {
            Self::Property { field, .. } => facts.value(field).map(|fact| fact.shown()),
            Self::Event { events, .. } => {
                let count = events.of(facts.life()?, reading).count();
                Some(count.to_string())
            }
            Self::Communication { contacts, .. } => {
                let count = contacts.of(facts.life()?, reading).count();
                Some(count.to_string())
            }
            Self::Metric {
                events, measure, ..
            } => {
                let events = events.of(facts.life()?, reading);
                measure.of(events, reading.now).map(|value| value.shown())
            }
            Self::Consent { channel, .. } => {
                let said = facts.life()?.consents.get(*channel)?;
                Some(said.status.to_string())
            }
            Self::Rfm(_) => {
                let scores = facts.life()?.rfm?;
                let (r, f, m) = (scores.recency, scores.frequency, scores.monetary);
                Some(format!("{r}{f}{m} {}", scores.cell()))
            }
            Self::Tag { .. } | Self::Audience { .. } | Self::Sql(_) => None,
        }
    }
}

impl Fact<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Date(at) => at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            Self::Amount(amount) => amount.to_string(),
        }
    }
}
