//! The repositories of all contexts, as queries that both databases understand.
//!
//! `super` is the database: its connection types and its `dialect`. A file of a context holds everything
//! about its tables: the repository of a unit of work and the reads outside of one.

use super::{Backend, Conn, Db, Held, cursor, dialect};

mod audience;
mod changes;
mod customer;
#[path = "core/direct.rs"]
mod direct;
mod housekeeping;
mod importing;
#[path = "core/json_rows.rs"]
mod json_rows;
mod live;
mod messaging;
mod operations;
mod scheduling;
mod sending;
#[path = "core/transaction.rs"]
mod transaction;

pub use operations::Idempotency;
