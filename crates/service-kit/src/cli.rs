//! The command line of a service.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use settings::{Settings, SettingsError};

/// A service of Plateia.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "Settings come from the file and from the environment \
    (PLATEIA__SECTION__KEY); the environment wins.\nExit codes: 0 done, 1 failed, 2 usage.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run until a signal ends it
    Serve {
        #[command(flatten)]
        config: ConfigArgs,
        /// Address of the server; port 0 takes a free one [default: 127.0.0.1:8080]
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Bring tables and indexes up to date, and end
    Migrate(ConfigArgs),
    /// Tell or change to which environment the database belongs
    Environment {
        #[command(subcommand)]
        command: EnvironmentCommand,
    },
    /// Look after the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnvironmentCommand {
    /// Let the database belong to environment.id from now on: what was held back is sent
    Adopt(ConfigArgs),
    /// Tell to which environment the database belongs
    Show(ConfigArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Tell whether the configuration can be used, without reaching for any server
    Check(ConfigArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl ConfigArgs {
    /// What is configured by file and environment.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let env = std::env::vars_os().filter_map(text);
        Settings::load(self.config.as_deref(), env)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
