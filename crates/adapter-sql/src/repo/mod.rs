//! The repositories, as queries that both databases understand.
//!
//! `super` is the database: its connection types and its `dialect`. A file here holds everything
//! about its tables: the repository of a unit of work and the reads outside of one.

use super::{Conn, Db, Held, Reader, dialect};

mod audiences;
mod contents;
mod feed;
mod inbox;
mod operations;
mod outbox;
mod outcomes;
mod queries;
mod receipts;
mod transaction;
mod uploads;

pub(crate) use transaction::Transaction;
