//! The tree of a segment, as whoever evaluates or compiles it walks it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{Bound, Notation, RfmCell, RfmScore, SqlCondition, Values};
use crate::{
    customer::{Amount, Channel, EventName},
    recycle::Outcome,
    shared::{AudienceId, Instant},
};

/// How conditions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logic {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// Groups of conditions, parsed and bounded. Its serde form is kept in operations. What it compares
/// with may be personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    /// Joins the groups that are not excluded.
    pub between: Logic,
    /// How numbers and dates are read.
    pub notation: Notation,
    /// The groups.
    pub groups: Vec<Group>,
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions: Vec<usize> = self.groups.iter().map(|g| g.conditions.len()).collect();
        f.debug_struct("Predicate")
            .field("conditions", &conditions)
            .finish_non_exhaustive()
    }
}

impl Predicate {
    /// One condition alone.
    pub fn of(condition: Condition, notation: Notation) -> Self {
        let group = Group {
            logic: Logic::And,
            exclude: false,
            conditions: vec![condition],
        };
        Self {
            between: Logic::Or,
            notation,
            groups: vec![group],
        }
    }

    /// All its conditions, group by group.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.groups.iter().flat_map(|group| &group.conditions)
    }

    /// Whether it may hold tomorrow for a person whom nobody changes, or hold no more.
    pub fn depends_on_time(&self) -> bool {
        self.conditions().any(Condition::depends_on_time)
    }

    /// The audiences that it asks for members of, each once.
    pub fn audiences(&self) -> BTreeSet<AudienceId> {
        let named = self.conditions().filter_map(|condition| match condition {
            Condition::Audience { id, .. } => Some(*id),
            _ => None,
        });
        named.collect()
    }
}

/// Conditions joined by one logic.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Joins the conditions.
    pub logic: Logic,
    /// Takes away those whom it matches.
    pub exclude: bool,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// What must hold.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Condition {
    /// Of a value.
    Property {
        /// Which one.
        field: Field,
        /// What it must be.
        test: Test,
    },
    /// Any of the labels, by their [`fold_key`](crate::shared::fold_key).
    Tag {
        /// The labels.
        any: Vec<String>,
        /// None of them instead.
        negated: bool,
    },
    /// What was said about a channel.
    Consent {
        /// The channel.
        channel: Channel,
        /// What was said.
        said: Said,
    },
    /// How often something happened.
    Event {
        /// What counts.
        events: EventSet,
        /// How often.
        occurrence: Occurrence,
    },
    /// What an event's values come to.
    Metric {
        /// What counts.
        events: EventSet,
        /// What is measured.
        measure: Measure,
        /// What it must be.
        test: MetricTest,
    },
    /// The scores of purchases.
    Rfm(RfmTest),
    /// Membership of another audience.
    Audience {
        /// The audience.
        id: AudienceId,
        /// Not being a member instead.
        negated: bool,
    },
    /// What became of communications.
    Communication {
        /// What counts.
        contacts: ContactSet,
        /// How often.
        occurrence: Occurrence,
    },
    /// A boolean expression.
    Sql(SqlCondition),
}

impl Condition {
    /// Whether time alone may change its answer.
    pub fn depends_on_time(&self) -> bool {
        let rolls = |window: &Window| matches!(window, Window::LastDays(_));
        match self {
            Self::Property { test, .. } => test.depends_on_time(),
            Self::Event { events, .. } => rolls(&events.window) || events.depends_on_time(),
            Self::Metric {
                events, measure, ..
            } => rolls(&events.window) || events.depends_on_time() || measure.counts_days(),
            Self::Communication { contacts, .. } => rolls(&contacts.window),
            Self::Tag { .. }
            | Self::Consent { .. }
            | Self::Rfm(_)
            | Self::Audience { .. }
            | Self::Sql(_) => false,
        }
    }
}

/// What somebody said about a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Yes.
    Granted,
    /// No.
    Denied,
    /// Nothing.
    Never,
}

/// Events of a person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct EventSet {
    /// Their name.
    pub name: EventName,
    /// When they happened.
    pub window: Window,
    /// What each of them must be.
    pub filters: Vec<EventFilter>,
}

impl EventSet {
    /// Whether time alone may change which values count.
    fn depends_on_time(&self) -> bool {
        self.filters.iter().any(|f| f.test.depends_on_time())
    }
}

/// A test of one value of an event.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct EventFilter {
    /// Which value.
    pub field: EventField,
    /// What it must be.
    pub test: Test,
}

/// A value of an event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventField {
    /// Its amount.
    Amount,
    /// A property that is a text, a number or a truth value.
    Property(String),
}

/// When something happened. Both ends are included.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// At any time.
    Ever,
    /// No earlier than so many days ago, and not in the future.
    LastDays(u32),
    /// Within two instants.
    Between(Instant, Instant),
    /// Then or later.
    Since(Instant),
}

/// How often.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occurrence {
    /// So often.
    Exactly(u32),
    /// So often or more.
    AtLeast(u32),
    /// So often or less; 0 is never.
    AtMost(u32),
}

/// What is measured over the events of a person. A count and a sum of none are 0, the others have no
/// value then, and an event without the value counts for a count only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many.
    Count,
    /// What they come to.
    Sum(EventField),
    /// Their sum by how many have the value.
    Average(EventField),
    /// The least.
    Min(EventField),
    /// The greatest.
    Max(EventField),
    /// Whole days since the earliest.
    DaysSinceFirst,
    /// Whole days since the latest.
    DaysSinceLast,
}

impl Measure {
    /// Whether it grows by itself.
    pub const fn counts_days(&self) -> bool {
        matches!(self, Self::DaysSinceFirst | Self::DaysSinceLast)
    }
}

/// What a measure must be.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricTest {
    /// This.
    Equals(Amount),
    /// More.
    Greater(Amount),
    /// This or more.
    GreaterOrEqual(Amount),
    /// Less.
    Less(Amount),
    /// This or less.
    LessOrEqual(Amount),
    /// Both ends included.
    Between(Amount, Amount),
}

/// A test of scores.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RfmTest {
    /// One of these cells.
    Cell(BTreeSet<RfmCell>),
    /// One of these scores, 1 to 5.
    Score(RfmScore, BTreeSet<u8>),
}

/// Reports about contacts with a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSet {
    /// Any of these.
    pub outcomes: BTreeSet<Outcome>,
    /// Over this channel.
    pub channel: Option<String>,
    /// When they happened.
    pub window: Window,
}

/// A value of a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The document, normalised.
    Document,
    /// The name.
    Name,
    /// The phone, normalised.
    Phone,
    /// The address, normalised.
    Email,
    /// `cpf`, `cnpj` or `other`.
    DocumentKind,
    /// Whether its check digits are right.
    DocumentValid,
    /// Whether it can be dialled.
    PhoneValid,
    /// Whether it can be written to.
    EmailValid,
    /// When the customer was registered.
    CreatedAt,
    /// The last change.
    UpdatedAt,
    /// The client whose CRM a customer comes from.
    ClientId,
    /// The id that the other side uses for a customer.
    ExternalId,
    /// An attribute of this name.
    Attribute(String),
}

/// What a value must be.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Equals one of these.
    In(Values),
    /// Equals none of these, or is missing.
    NotIn(Values),
    /// By its [`fold_key`](crate::shared::fold_key).
    Contains(String),
    /// As that of `Contains`.
    StartsWith(String),
    /// Is there.
    Exists,
    /// Is missing.
    NotExists,
    /// Lies after this.
    Greater(Bound),
    /// Lies after this, or is it.
    GreaterOrEqual(Bound),
    /// Lies before this.
    Less(Bound),
    /// Lies before this, or is it.
    LessOrEqual(Bound),
    /// Both ends included.
    Between(Bound, Bound),
    /// No earlier than so many days ago, and not in the future.
    InLastDays(u32),
}

impl Test {
    /// Whether time alone may change its answer.
    pub const fn depends_on_time(&self) -> bool {
        matches!(self, Self::InLastDays(_))
    }
}
