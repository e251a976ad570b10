//! What every adapter owes its ports, as suites that run on any of them.

pub mod bus;
pub mod store;
