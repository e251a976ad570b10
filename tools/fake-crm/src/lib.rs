//! A CRM for tests: tickets, messages and contacts by page, deterministic by seed, with every
//! misbehaviour that an import must survive.
//!
//! Rows are computed from the seed and their number, so that a million of them cost no memory;
//! only what was changed since the start is kept. [`Fake`] runs the server inside a test, the binary
//! beside one.

mod answer;
mod control;
mod fake;
mod list;
mod log;
mod plan;
mod rows;
mod server;
mod world;

pub use fake::Fake;
pub use log::{Log, Request};
pub use plan::{
    Change, Endpoint, Envelope, Fault, Ids, Misbehaviour, Order, Plan, RetryAfter, Scheduled, Tells,
};
pub use world::World;
