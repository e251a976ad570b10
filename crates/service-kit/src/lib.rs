//! What every service's program does the same way: its command line, its configuration, its start and
//! its end.

#[cfg(feature = "base")]
mod base;
mod cli;
pub mod crash;
mod run;

#[cfg(feature = "base")]
pub use base::{Base, BaseError};
pub use run::{Service, main, start_telemetry};
