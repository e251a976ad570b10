//! The relational stores, on PostgreSQL and on SQLite.
//!
//! One query source: what [`core`] brings is twofold, a connection type and a `dialect` for each database, and
//! the repositories of all contexts are compiled once for each of the two. A context has a folder with its
//! tables' schema and its repositories, and a tree of migrations for each database. A service has a database
//! of its own with the tables of the contexts that it names.

pub mod contacts;
mod context;
mod core;
mod schema;

pub use self::{
    context::Context,
    core::{pg, sqlite},
};
