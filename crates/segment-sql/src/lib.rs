//! Conditions of segments as parameterised SQL for PostgreSQL, SQLite and GoogleSQL.
//!
//! One lowering turns a condition tree into a small relational form: sets of customer numbers, and a
//! boolean expression over them and over the values of a customer. One printer writes it; what differs
//! between the databases is a [`Dialect`] of a few functions. Nothing that a user wrote is part of a
//! statement's text: names and values are parameters, or columns that a mapping names.

mod dialect;
mod google;
mod lower;
mod own;
mod print;
mod relation;
mod scores;
mod sets;
mod statement;
mod values;

pub use dialect::{Dialect, Missing};
pub use google::{Column, ColumnType, Events, GoogleSql, Mapping, Properties};
pub use own::OwnStore;
pub use print::{Want, statement};
pub use scores::score_buyers;
pub use statement::{Param, Statement};
