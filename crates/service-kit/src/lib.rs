//! What every service's program does the same way: its command line, its configuration, its start and
//! its end.

mod cli;
pub mod crash;
mod run;

pub use run::{Service, main, start_telemetry};
