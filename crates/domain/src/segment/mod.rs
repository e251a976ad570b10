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
mod explain;
mod facts;
mod field;
mod grammar;
mod happenings;
mod index;
mod kinds;
mod life;
mod notation;
mod operand;
mod parse;
mod query;
mod rfm;
mod schema;
mod scores;
mod source;
mod sql;
mod test;
mod watch;

pub use ast::{
    Condition, ContactSet, EventField, EventFilter, EventSet, Field, Group, Logic, Measure,
    MetricTest, Occurrence, Predicate, RfmTest, Said, Test, Window,
};
pub use explain::{ConditionExplanation, Explanation, GroupExplanation};
pub use facts::{ContactFacts, CustomerFacts, Fact, Facts, Life};
pub use index::{Form, customer_index, date_key, event_index, property_key};
pub use notation::{Locale, Notation};
pub use operand::{Bound, Values};
pub use parse::INCOMPLETE;
pub use query::{Reference, References, Scope, SegmentQuery};
pub use rfm::{RfmCell, RfmScore, RfmScores};
pub use schema::json_schema;
pub use source::{
    BigQuerySource, BillingMonth, CREDENTIALS_MASK, CustomerTable, EventTable, GivenCredentials,
    NeededColumn, PropertiesColumn, SegmentSource, ServiceAccountKey, SourceCredentials,
    SourceType, TypedColumn,
};
pub use sql::{SqlCondition, SqlTree};
pub use watch::{Change, Edge, Watch};

#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod tests;
