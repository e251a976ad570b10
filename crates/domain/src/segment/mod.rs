//! Segments: groups of conditions over a contact, as `where` of a recycling has them.
//!
//! Inside a group the conditions are joined by `and` unless it says `or`; groups are joined by
//! `or`. Groups with `exclude` are taken away at the end.
//!
//! A missing value fulfils `not_exists`, `not_equals`, `not_in` and no other operator. `equals`
//! and `in` compare text exactly (documents, phones and e-mails after normalisation), numbers by
//! value even where the contact keeps them as text; `contains` and `starts_with` ignore case.
//! Dates are RFC 3339 instants, or days (`YYYY-MM-DD`, in UTC) that count as a whole.

mod evaluate;
mod operand;
mod parse;

pub use operand::{Bound, Values};

use serde::{Deserialize, Serialize};

/// How conditions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logic {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// Groups of conditions, parsed and bounded. Its serde form is kept in operations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Predicate {
    groups: Vec<Group>,
}

/// Conditions joined by one logic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Group {
    logic: Logic,
    exclude: bool,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Condition {
    Property {
        field: Field,
        test: Test,
    },
    /// Any of the labels, in lower case.
    Tag {
        any: Vec<String>,
        negated: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    Document,
    Name,
    Phone,
    Email,
    DocumentKind,
    DocumentValid,
    PhoneValid,
    EmailValid,
    UpdatedAt,
    Attribute(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Test {
    In(Values),
    NotIn(Values),
    /// Lower case.
    Contains(String),
    /// Lower case.
    StartsWith(String),
    Exists,
    NotExists,
    Greater(Bound),
    GreaterOrEqual(Bound),
    Less(Bound),
    LessOrEqual(Bound),
    /// Both ends included.
    Between(Bound, Bound),
    InLastDays(u32),
}
