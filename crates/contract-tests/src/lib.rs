//! What every adapter owes its ports, as suites that run on any of them.

pub mod bus;
pub mod contacts;
pub mod customers;
pub mod files;
pub mod importing;
pub mod outcomes;
pub mod requests;
pub mod scheduling;
pub mod segments;
pub mod sending;
pub mod store;
pub mod store_feed;
