//! What may change the answer of conditions.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::{Condition, EventSet, Field, Form, Measure, MetricTest, Predicate, Test, Window};
use crate::customer::{Amount, EventName};

/// More days than any instant is away.
const MAX_DAYS: i64 = 700_000;
const MILLION: i64 = 1_000_000;

/// A change of a customer, as it may matter to conditions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Its values, labels or consents.
    Values,
    /// It did this.
    Event(EventName),
    /// Something was reported about a communication.
    Outcome,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values => f.write_str("values"),
            Self::Event(name) => write!(f, "event:{}", name.as_str()),
            Self::Outcome => f.write_str("outcome"),
        }
    }
}

impl FromStr for Change {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "values" => Ok(Self::Values),
            "outcome" => Ok(Self::Outcome),
            text => {
                let name = text.strip_prefix("event:").ok_or(())?;
                EventName::parse(name).map(Self::Event).ok_or(())
            }
        }
    }
}

/// Instants after which time alone may change an answer: those that lie so many days ago.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Of an event of this name.
    Event(EventName, i64),
    /// Of a report about a communication.
    Outcome(i64),
    /// Of a value, by the key under which its form as a date is kept.
    Value(String, i64),
}

/// What may change the answer of conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// Events of these names.
    pub events: BTreeSet<EventName>,
    /// Reports about communications.
    pub outcomes: bool,
    /// Scores.
    pub scores: bool,
    /// Time.
    pub edges: BTreeSet<Edge>,
    /// Whether time matters to values of events, which are found by no date.
    pub sweeps: bool,
}

impl Watch {
    /// Takes in what other conditions watch.
    pub fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.outcomes |= other.outcomes;
        self.scores |= other.scores;
        self.edges.extend(other.edges);
        self.sweeps |= other.sweeps;
    }

    /// Whether a change may matter. A member's contact has its values, so these always do.
    pub fn sees(&self, change: &Change) -> bool {
        match change {
            Change::Values => true,
            Change::Event(name) => self.events.contains(name),
            Change::Outcome => self.outcomes,
        }
    }

    fn events(&mut self, set: &EventSet) {
        self.events.insert(set.name.clone());
        self.sweeps |= set.filters.iter().any(|f| f.test.depends_on_time());
        for days in rolling(&set.window) {
            self.edges.insert(Edge::Event(set.name.clone(), days));
        }
    }
}

impl Predicate {
    /// What may change its answer, apart from the audiences that it names.
    pub fn watch(&self) -> Watch {
        let mut watch = Watch::default();
        for condition in self.conditions() {
            match condition {
                Condition::Property { field, test } => value(&mut watch, field, test),
                Condition::Event { events, .. } => watch.events(events),
                Condition::Metric {
                    events,
                    measure,
                    test,
                } => {
                    watch.events(events);
                    if matches!(measure, Measure::DaysSinceFirst | Measure::DaysSinceLast) {
                        let days = days_of(*test).into_iter();
                        let edge = |days| Edge::Event(events.name.clone(), days);
                        watch.edges.extend(days.map(edge));
                    }
                }
                Condition::Rfm(_) => watch.scores = true,
                Condition::Communication { contacts, .. } => {
                    watch.outcomes = true;
                    let days = rolling(&contacts.window).into_iter();
                    watch.edges.extend(days.map(Edge::Outcome));
                }
                // SQL has no test that depends on time.
                Condition::Tag { .. }
                | Condition::Consent { .. }
                | Condition::Audience { .. }
                | Condition::Sql(_) => {}
            }
        }
        watch
    }
}

fn value(watch: &mut Watch, field: &Field, test: &Test) {
    if let Test::InLastDays(days) = test {
        for days in [0, i64::from(*days)] {
            watch.edges.insert(Edge::Value(field.key(Form::Date), days));
        }
    }
}

/// A window that rolls begins so many days ago, and ends now.
fn rolling(window: &Window) -> Vec<i64> {
    match window {
        Window::LastDays(days) => vec![0, i64::from(*days)],
        Window::Ever | Window::Between(..) | Window::Since(_) => Vec::new(),
    }
}

/// The numbers of whole days at which a test may change its answer.
fn days_of(test: MetricTest) -> BTreeSet<i64> {
    let bounds = match test {
        MetricTest::Equals(bound)
        | MetricTest::Greater(bound)
        | MetricTest::GreaterOrEqual(bound)
        | MetricTest::Less(bound)
        | MetricTest::LessOrEqual(bound) => vec![bound],
        MetricTest::Between(low, high) => vec![low, high],
    };
    let around = |bound: Amount| {
        let floor = bound.millionths().div_euclid(MILLION);
        [floor, floor + 1].map(|days| days.clamp(-MAX_DAYS, MAX_DAYS))
    };
    bounds.into_iter().flat_map(around).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::segment::Notation;

    fn watch(conditions: serde_json::Value) -> Watch {
        let groups = json!({ "groups": [{ "conditions": conditions }] });
        let parsed = Predicate::parse_segment(&groups, "", Notation::default());
        parsed.unwrap().watch()
    }

    #[test]
    fn windows_watch_both_of_their_edges() {
        let name = EventName::parse("order.paid").unwrap();
        let seen = watch(json!([
            {"kind": "event", "name": "order.paid", "window": {"last_days": 30},
             "occurrence": {"op": "at_least", "count": 1}},
        ]));
        let edge = |days| Edge::Event(name.clone(), days);
        assert_eq!(seen.edges, BTreeSet::from([edge(0), edge(30)]));
        assert!(seen.sees(&Change::Event(name)) && seen.sees(&Change::Values));
        assert!(!seen.sees(&Change::Outcome));
    }

    #[test]
    fn changes_are_read_as_they_are_written() {
        let event = Change::Event(EventName::parse("order.paid").unwrap());
        for change in [Change::Values, Change::Outcome, event] {
            assert_eq!(change.to_string().parse(), Ok(change));
        }
        assert_eq!("event:".parse::<Change>(), Err(()));
    }

    #[test]
    fn days_since_watch_the_days_around_their_bounds() {
        let bound = Amount::from_millionths;
        let test = MetricTest::Between(bound(-1_500_000), bound(7_000_000));
        assert_eq!(days_of(test), BTreeSet::from([-2, -1, 7, 8]));
    }
}
