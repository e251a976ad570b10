//! Conditions written as a boolean expression of SQL.
//!
//! An expression is read into tests of fields, joined by all and any: nothing of its text goes any
//! further. What SQL leaves undecided (`NULL`) does not hold, and neither does its negation.

use serde::{Deserialize, Serialize};

use super::{Field, Test};

mod cursor;
mod leaf;
mod lexer;
mod literal;
#[cfg(test)]
mod logic_tests;
mod parse;
#[cfg(test)]
mod print_tests;
#[cfg(test)]
mod tests;

pub(super) use parse::parse;

/// A boolean expression over the fields of a person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlCondition {
    /// As it was written.
    pub text: String,
    /// What it means.
    pub meaning: SqlTree,
}

/// What an expression means. Negations are resolved: they stand in the tests.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlTree {
    /// All of these; of none, it holds.
    All(Vec<Self>),
    /// Any of these; of none, it does not hold.
    Any(Vec<Self>),
    /// A test of a field.
    Test(Field, Test),
    /// The field has a value, and the test does not hold: `In`, `Contains` or `StartsWith`. The
    /// negation of an order is another order.
    Not(Field, Test),
}

impl SqlCondition {
    pub(super) fn holds(&self, test: impl Fn(&Field, &Test) -> bool + Copy) -> bool {
        self.meaning.holds(test)
    }

    /// The tests in it, in the order in which they are written.
    pub fn tests(&self) -> Vec<(&Field, &Test)> {
        let mut tests = Vec::new();
        self.meaning.collect(&mut tests);
        tests
    }
}

impl SqlTree {
    fn holds(&self, test: impl Fn(&Field, &Test) -> bool + Copy) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(test)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(test)),
            Self::Test(field, wanted) => test(field, wanted),
            Self::Not(field, unwanted) => test(field, &Test::Exists) && !test(field, unwanted),
        }
    }

    fn collect<'a>(&'a self, into: &mut Vec<(&'a Field, &'a Test)>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.collect(into));
            }
            Self::Test(field, test) | Self::Not(field, test) => into.push((field, test)),
        }
    }
}
