//! The bus on RabbitMQ: events leave confirmed, and arrive in inboxes.
//!
//! The broker only carries. Who has handled what, how often it was tried and what was given up is
//! known by the inboxes, as without a broker.

mod bus;
mod consumer;
mod dead;
mod link;
mod message;
mod outlet;
mod publisher;
mod settings;
mod status;
mod topology;

pub use bus::RabbitBus;
pub use settings::{RabbitSettings, RabbitStartError};
pub use status::{BusStatus, LinkStatus};
