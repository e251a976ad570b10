//! Imports from outside CRMs.

use secrecy::SecretString;
use serde::Deserialize;

use crate::{Settings, SettingsError, servers::invalid};

/// What an installation decides about imports. Each has a short name in the environment as well:
/// `ADMIN_TOKEN`, `IMPORT_START_AT`, `EXTERNAL_API_REQUESTS_PER_MINUTE`, `IMPORT_ALLOW_PRIVATE_HOSTS`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imports {
    /// Opens `/api/jobs` and `/api/admin`; without it they are closed.
    pub admin_token: Option<SecretString>,
    /// Tickets that were last changed before are not taken: RFC 3339, or a date in UTC. Default
    /// `2026-01-01`.
    pub start_at: String,
    /// Requests a minute to the CRM of a client that says nothing else. Default 50.
    pub requests_per_minute: i64,
    /// Hosts with their ports, commas between, that may have private addresses and speak plain http.
    pub allow_private_hosts: String,
    /// Runs at a time in one replica; most of a run is waiting. Default 64.
    pub runs: usize,
}

impl Default for Imports {
    fn default() -> Self {
        Self {
            admin_token: None,
            start_at: "2026-01-01".to_owned(),
            requests_per_minute: 50,
            allow_private_hosts: String::new(),
            runs: 64,
        }
    }
}

/// Short names and the keys that they stand for.
pub(crate) const SHORT: [(&str, &str); 4] = [
    ("ADMIN_TOKEN", "IMPORTS__ADMIN_TOKEN"),
    ("IMPORT_START_AT", "IMPORTS__START_AT"),
    (
        "EXTERNAL_API_REQUESTS_PER_MINUTE",
        "IMPORTS__REQUESTS_PER_MINUTE",
    ),
    ("IMPORT_ALLOW_PRIVATE_HOSTS", "IMPORTS__ALLOW_PRIVATE_HOSTS"),
];

impl Settings {
    pub(crate) fn validate_imports(&self) -> Result<(), SettingsError> {
        let runs = self.imports.runs;
        if (1..=1_000).contains(&runs) {
            return Ok(());
        }
        Err(invalid("imports.runs", "must be 1 to 1000"))
    }
}
