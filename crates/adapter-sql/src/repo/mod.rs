//! The repositories, as queries that both databases understand.
//!
//! `super` is the database: its connection types and its `dialect`. A file here holds everything
//! about its tables: the repository of a unit of work and the reads outside of one.

use super::{Backend, Conn, Db, Held, dialect};

mod api_keys;
mod audiences;
mod claims;
mod content_keys;
mod contents;
mod creations;
mod customers;
mod dead_letters;
mod direct;
mod feed;
mod housekeeping;
mod idempotency;
mod imports;
mod inbox;
mod intents;
mod operation_rows;
mod operations;
mod outbox;
mod outbox_queue;
mod outcomes;
mod queries;
mod receipts;
mod removals;
mod transaction;
mod uploads;

pub use idempotency::Idempotency;
