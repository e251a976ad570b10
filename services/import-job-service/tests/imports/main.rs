//! The use cases on SQLite, against a CRM over HTTP that misbehaves on demand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod budget;
mod clients;
mod control;
mod defects;
mod doubles;
mod faults;
mod postgres;
mod rig;
mod still;
