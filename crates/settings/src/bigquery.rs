//! Customers in BigQuery.

use serde::Deserialize;

/// How BigQuery is reached, where workspaces have their customers there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bigquery {
    /// Where its API is. Default `https://bigquery.googleapis.com`.
    pub endpoint: String,
    /// Whether workspaces may ask it as the account of this machine. Whatever that account may read, every workspace
    /// then can. Default `true`.
    pub machine_account: bool,
}

impl Default for Bigquery {
    fn default() -> Self {
        Self {
            endpoint: "https://bigquery.googleapis.com".to_owned(),
            machine_account: true,
        }
    }
}
