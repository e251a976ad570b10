//! Which installation this is.

use serde::Deserialize;

use crate::{Settings, SettingsError};

/// Longest name.
const MAX: usize = 64;

/// Which installation this is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Installation {
    /// A name that its databases have too: from a copy that has another name nothing is sent. Default `default`.
    pub id: String,
}

impl Default for Installation {
    fn default() -> Self {
        Self {
            id: "default".to_owned(),
        }
    }
}

impl Settings {
    pub(crate) fn validate_environment(&self) -> Result<(), SettingsError> {
        let id = &self.environment.id;
        let is_of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if (1..=MAX).contains(&id.len()) && id.bytes().all(is_of_name) {
            return Ok(());
        }
        Err(SettingsError::Invalid {
            key: "environment.id",
            rule: "must be 1 to 64 letters, digits, dots, hyphens or underscores",
        })
    }
}
