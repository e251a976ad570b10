//! The relational stores, on PostgreSQL and on SQLite.
//!
//! One query source: everything under `repo/` is compiled once as part of [`pg`] and once as part of
//! [`sqlite`], each of which brings its connection type and its `dialect`.

pub mod contacts;
mod error;
mod home;
pub mod pg;
mod schema;
pub mod sqlite;
mod types;
