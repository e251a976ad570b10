//! The tree of a segment, as whoever evaluates or compiles it walks it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Bound, Notation, Values};

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
    /// The last change.
    UpdatedAt,
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
