//! The bus on a real broker, each test under a prefix of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod contract;
mod dead;
mod faults;
mod flow;
mod rig;
mod start;
