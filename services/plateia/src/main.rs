//! Plateia in one process, and the operator's command line.

mod cli;
mod client;
mod config;
mod demo;
mod demo_communication;
mod demo_import;
mod demo_segments;
mod lock;
mod outcome;
mod run;
mod sample;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    run::run(cli::Cli::parse())
}
