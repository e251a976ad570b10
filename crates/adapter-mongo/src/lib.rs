//! Contacts in MongoDB, and whole files in its GridFS.
//!
//! A key is one string that sorts as `(audience, epoch, document)`, so that writing is a keyed insert
//! and a page is a range of the primary index. Nothing here is a transaction: every call is
//! idempotent, and the relational store says what counts.

mod batches;
mod blobs;
mod body;
mod connect;
mod error;
mod keys;
mod pace;
mod patience;
mod purge;
mod reads;
mod rows;
mod store;
mod upsert;

pub use blobs::MongoBlobs;
pub use body::encode as encode_body;
pub use connect::{MongoContacts, MongoSettings, MongoStartError};
pub use rows::{ContactRow, TombstoneRow};
