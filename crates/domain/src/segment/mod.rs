//! Segments: groups of conditions over a person, as `where` of a recycling has them.
//!
//! Inside a group the conditions are joined by `and` unless it says `or`; groups are joined by
//! `or` unless `groupType` says `and`. Groups with `exclude` are taken away at the end.
//!
//! A missing value fulfils `not_exists`, `not_equals`, `not_in` and no other operator. `equals`
//! and `in` compare text exactly (after the normalisation that contacts go through), numbers by
//! value even where the contact keeps them as text; `contains` and `starts_with` ignore case.
//! Numbers and dates are read as the workspace writes them ([`Notation`]); a day counts as a whole.
//! A text that cannot be read as what an operator compares fulfils nothing, and is counted.

mod ast;
mod evaluate;
mod field;
mod notation;
mod operand;
mod parse;

pub use ast::{Condition, Field, Group, Logic, Predicate, Test};
pub use evaluate::{ContactFacts, Fact, Facts};
pub use notation::{Locale, Notation};
pub use operand::{Bound, Values};

#[cfg(test)]
mod tests;
