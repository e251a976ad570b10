//! Segments: groups of conditions over a contact, as `where` of a recycling has them.
//!
//! Inside a group the conditions are joined by `and` unless it says `or`; groups are joined by
//! `or` unless `groupType` says `and`. Groups with `exclude` are taken away at the end.
//!
//! A missing value fulfils `not_exists`, `not_equals`, `not_in` and no other operator. `equals`
//! and `in` compare text exactly (after the normalisation that contacts go through), numbers by
//! value even where the contact keeps them as text; `contains` and `starts_with` ignore case.
//! Numbers and dates are read as the workspace writes them ([`Notation`]); a day counts as a whole.
//! A text that cannot be read as what an operator compares fulfils nothing, and is counted.

mod evaluate;
mod field;
mod notation;
mod operand;
mod parse;

pub use notation::{Locale, Notation};

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
    notation: Notation,
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

impl Predicate {
    /// Whether it may hold tomorrow for a contact that nobody changes, or hold no more.
    pub fn depends_on_time(&self) -> bool {
        let timed = |condition: &Condition| {
            let test = match condition {
                Condition::Property { test, .. } => test,
                Condition::Tag { .. } => return false,
            };
            matches!(test, Test::InLastDays(_))
        };
        self.groups
            .iter()
            .any(|group| group.conditions.iter().any(timed))
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
    /// Any of the labels, by their [`fold_key`](crate::shared::fold_key).
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
    /// By its [`fold_key`](crate::shared::fold_key).
    Contains(String),
    /// As that of `Contains`.
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
