//! Segments: groups of conditions over a contact, as `where` of a recycling has them.
//!
//! Inside a group the conditions are joined by `and` unless it says `or`; groups are joined by
//! `or` unless `groupType` says `and`. Groups with `exclude` are taken away at the end.
//!
//! A missing value fulfils `not_exists`, `not_equals`, `not_in` and no other operator. `equals`
//! and `in` compare text exactly (documents, phones and e-mails after normalisation), numbers by
//! value even where the contact keeps them as text; `contains` and `starts_with` ignore case.
//! Dates are RFC 3339 instants, or days (`YYYY-MM-DD`, in UTC) that count as a whole.

mod evaluate;
mod operand;
mod parse;

use operand::{Bound, Values};

use std::fmt;

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

/// Groups of conditions, parsed and bounded. Its serde form is kept in operations. What it compares
/// with may be personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    /// Joins the groups that are not excluded.
    between: Logic,
    groups: Vec<Group>,
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions: Vec<usize> = self.groups.iter().map(|g| g.conditions.len()).collect();
        f.debug_struct("Predicate")
            .field("conditions", &conditions)
            .finish_non_exhaustive()
    }
}

/// Conditions joined by one logic.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Group {
    logic: Logic,
    exclude: bool,
    conditions: Vec<Condition>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
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

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Clone, PartialEq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests;
