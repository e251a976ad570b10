//! Configuration of a process, read once at its start.
//!
//! Depends on nothing of the workspace. Defaults, then a TOML file, then the environment
//! (`PLATEIA__SECTION__KEY`); what comes later wins. The caller hands in the environment, so that
//! loading is a pure function.

mod bigquery;
mod environment;
mod imports;
mod model;
mod sender;
mod servers;

use std::path::Path;

use config::{Config, Environment, File, FileFormat, Map, Source};

pub use bigquery::Bigquery;
pub use environment::Installation;
pub use imports::Imports;
pub use model::{
    AudienceService, Limits, LogFormat, Retention, Segments, Settings, Telemetry, Workers,
};
pub use secrecy::{ExposeSecret, SecretString};
pub use sender::{Sender, SenderKinds, Smtp, SmtpTls};
pub use servers::{Mongodb, Postgres, Rabbitmq, Roles, Secrets, Servers};

/// Short for `PLATEIA__API_KEY`, which the command line shares.
const API_KEY: &str = "PLATEIA_API_KEY";
const PREFIX: &str = "PLATEIA";

/// Why the configuration cannot be used. The message names the key.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A source cannot be read, has an unknown key or a value of the wrong type.
    #[error("configuration: {0}")]
    Source(#[from] config::ConfigError),
    /// A value is out of its range.
    #[error("configuration: {key} {rule}")]
    Invalid {
        /// The key, as in the file: `section.key`.
        key: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A value is well formed, and of no use to the part that it is for.
    #[error("configuration: {key}: {reason}")]
    Unusable {
        /// The key, as in the file: `section.key`.
        key: &'static str,
        /// What that part says.
        reason: String,
    },
}

impl Settings {
    /// Loads and validates. `file` must exist when it is named.
    ///
    /// # Errors
    /// When a source cannot be read, or a key is unknown or has a value that it cannot have.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut config = Config::builder();
        if let Some(path) = file {
            config = config.add_source(File::from(path).format(FileFormat::Toml));
        }
        let settings: Self = config
            .add_source(environment(env))
            .build()?
            .try_deserialize()?;
        settings.validate()?;
        Ok(settings)
    }
}

/// Values stay strings until a field parses them: guessing types here would turn a secret that
/// looks like a number into another text.
fn environment(env: impl Iterator<Item = (String, String)>) -> impl Source + Send + Sync + 'static {
    let mut known: Map<String, String> = Map::new();
    for (name, value) in env {
        if name == API_KEY {
            known.entry(format!("{PREFIX}__API_KEY")).or_insert(value);
        } else if let Some((_, key)) = imports::SHORT.iter().find(|(short, _)| *short == name) {
            known.entry(format!("{PREFIX}__{key}")).or_insert(value);
        } else if name.starts_with("PLATEIA__") {
            known.insert(name, value);
        }
    }
    Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .source(Some(known))
}

#[cfg(test)]
mod tests;
