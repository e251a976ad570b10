//! The bus on a real broker, each test under a prefix of its own.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod contract;
mod dead;
mod faults;
mod flow;
mod proxy;
mod rig;
mod start;
