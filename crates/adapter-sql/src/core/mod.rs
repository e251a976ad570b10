//! Connections, transactions, and what the two databases have in common.

pub(crate) mod error;
mod home;
pub mod pg;
pub mod sqlite;
pub(crate) mod types;
