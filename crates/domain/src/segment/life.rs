//! What a customer did, as conditions count and measure it.

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    ContactSet, EventField, EventSet, Fact, Life, Measure, MetricTest, Occurrence, RfmScores,
    RfmTest, Said, Window, evaluate::Reading,
};
use crate::{
    customer::{Amount, Channel, ConsentStatus, CustomerEvent},
    recycle::OutcomeFact,
    shared::Instant,
};

impl Window {
    /// The first and the last instant of it at the instant `now`, where it has them.
    pub fn edges(&self, now: Instant) -> (Option<Instant>, Option<Instant>) {
        match *self {
            Self::Ever => (None, None),
            Self::LastDays(days) => (Some(now - TimeDelta::days(i64::from(days))), Some(now)),
            Self::Between(first, last) => (Some(first), Some(last)),
            Self::Since(first) => (Some(first), None),
        }
    }

    fn has(&self, at: Instant, now: Instant) -> bool {
        let (first, last) = self.edges(now);
        first.is_none_or(|first| at >= first) && last.is_none_or(|last| at <= last)
    }
}

impl Occurrence {
    /// Whether a number of times is right.
    pub fn holds(self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self {
            Self::Exactly(wanted) => count == wanted,
            Self::AtLeast(wanted) => count >= wanted,
            Self::AtMost(wanted) => count <= wanted,
        }
    }
}

impl Life<'_> {
    pub(super) fn said(&self, channel: Channel) -> Said {
        match self.consents.get(channel).map(|consent| consent.status) {
            Some(ConsentStatus::Granted) => Said::Granted,
            Some(ConsentStatus::Denied) => Said::Denied,
            None => Said::Never,
        }
    }
}

impl EventSet {
    pub(super) fn of<'a>(
        &'a self,
        life: &Life<'a>,
        reading: Reading<'a>,
    ) -> impl Iterator<Item = &'a CustomerEvent> {
        life.events.iter().filter(move |event| {
            event.name == self.name
                && self.window.has(event.time, reading.now)
                && self.filters.iter().all(|filter| {
                    let value = filter.field.of(event);
                    filter.test.holds(value, reading)
                })
        })
    }
}

impl EventField {
    fn of<'a>(&self, event: &'a CustomerEvent) -> Option<Fact<'a>> {
        match self {
            Self::Amount => event.amount.map(Fact::Amount),
            Self::Property(name) => Fact::of(event.properties.get(name)?),
        }
    }

    /// Its value as a number, where it is one that amounts can be.
    fn amount(&self, event: &CustomerEvent) -> Option<i64> {
        let amount = match self {
            Self::Amount => event.amount,
            Self::Property(name) => event.properties.get(name).and_then(Self::amount_of),
        };
        amount.map(Amount::millionths)
    }

    /// A property as a number, where it is one that amounts can be.
    pub(super) fn amount_of(value: &Value) -> Option<Amount> {
        let number = value.is_number().then(|| Amount::parse(value).ok());
        number.flatten()
    }
}

/// What a measure is for a person: a sum, over how many values.
pub(super) struct Measured {
    sum: i128,
    by: i128,
}

impl Measured {
    const fn one(value: i128) -> Self {
        Self { sum: value, by: 1 }
    }

    /// As an amount, rounded to millionths.
    pub(super) fn shown(&self) -> String {
        let millionths = self.sum / self.by.max(1);
        Amount::from_millionths(i64::try_from(millionths).unwrap_or(i64::MAX)).to_string()
    }

    pub(super) fn fulfils(&self, test: MetricTest) -> bool {
        let order = |bound: Amount| self.sum.cmp(&(i128::from(bound.millionths()) * self.by));
        match test {
            MetricTest::Equals(bound) => order(bound).is_eq(),
            MetricTest::Greater(bound) => order(bound).is_gt(),
            MetricTest::GreaterOrEqual(bound) => order(bound).is_ge(),
            MetricTest::Less(bound) => order(bound).is_lt(),
            MetricTest::LessOrEqual(bound) => order(bound).is_le(),
            MetricTest::Between(low, high) => order(low).is_ge() && order(high).is_le(),
        }
    }
}

impl Measure {
    pub(super) fn of<'a>(
        &self,
        events: impl Iterator<Item = &'a CustomerEvent>,
        now: Instant,
    ) -> Option<Measured> {
        let days = |at: Instant| {
            let days = now.signed_duration_since(at).num_milliseconds();
            Measured::one(i128::from(days.div_euclid(86_400_000)) * 1_000_000)
        };
        let values = |field: &EventField, events: Vec<&CustomerEvent>| -> Vec<i128> {
            let values = events.into_iter().filter_map(|event| field.amount(event));
            values.map(i128::from).collect()
        };
        let mut times = Vec::new();
        let events: Vec<&CustomerEvent> = events.inspect(|event| times.push(event.time)).collect();
        match self {
            Self::Count => Some(Measured::one(times.len() as i128 * 1_000_000)),
            Self::Sum(field) => Some(Measured::one(values(field, events).iter().sum())),
            Self::Average(field) => {
                let values = values(field, events);
                let by = values.len() as i128;
                let sum = values.iter().sum();
                (by > 0).then_some(Measured { sum, by })
            }
            Self::Min(field) => values(field, events).into_iter().min().map(Measured::one),
            Self::Max(field) => values(field, events).into_iter().max().map(Measured::one),
            Self::DaysSinceFirst => times.into_iter().min().map(days),
            Self::DaysSinceLast => times.into_iter().max().map(days),
        }
    }
}

impl RfmTest {
    pub(super) fn holds(&self, scores: RfmScores) -> bool {
        match self {
            Self::Cell(cells) => cells.contains(&scores.cell()),
            Self::Score(score, any) => any.contains(&scores.of(*score)),
        }
    }
}

impl ContactSet {
    pub(super) fn of<'a>(
        &'a self,
        life: &Life<'a>,
        reading: Reading<'a>,
    ) -> impl Iterator<Item = &'a OutcomeFact> {
        life.outcomes.iter().filter(move |fact| {
            self.outcomes.contains(&fact.outcome)
                && self
                    .channel
                    .as_ref()
                    .is_none_or(|channel| *channel == fact.channel)
                && self.window.has(fact.occurred_at, reading.now)
        })
    }
}
