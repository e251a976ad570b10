//! What every service's program does the same way: its command line, its configuration, its start and
//! its end.

#[cfg(feature = "base")]
mod base;
mod cli;
pub mod crash;
#[cfg(feature = "neighbour")]
mod neighbour;
mod run;
#[cfg(feature = "base")]
mod signals;

#[cfg(feature = "base")]
pub use base::{Base, BaseError, Ground, check_broker, postgres, rabbitmq};
#[cfg(feature = "neighbour")]
pub use neighbour::{Heard, Host, Neighbour, Routes, Started};
pub use run::{Service, main, start_telemetry};
#[cfg(feature = "base")]
pub use signals::listen_to_replicas;
