//! What every service's program does the same way: its command line, its configuration, its start and
//! its end.

#[cfg(feature = "replica")]
mod cli;
pub mod crash;
mod docs;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod guard;
mod host;
mod identity;
mod logs;
mod metrics;
#[cfg(feature = "replica")]
mod replica;
#[cfg(feature = "replica")]
mod run;

#[cfg(feature = "embedded")]
pub use embedded::{embedded, environments};
pub use error::StartError;
pub use host::{Host, Messaging, Module, Process, Requests, Routes, Started};
pub use identity::{NoKeys, SecretError, derived_key, shared_token, stored_secret};
pub use logs::start_telemetry;
#[cfg(feature = "replica")]
pub use replica::{attach, check, database, replica, server_failed, watch_database};
#[cfg(feature = "replica")]
pub use run::{Opened, Service, main};
