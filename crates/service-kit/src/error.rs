//! Why a process does not start.

use std::{error::Error, net::SocketAddr};

use ports::StoreError;
use settings::SettingsError;
use telemetry::MetricsError;

use crate::SecretError;

/// Why a process does not start; the message names the key or file.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or malformed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The data directory cannot be used.
    #[error("data directory: {0}")]
    DataDir(#[source] std::io::Error),
    /// A secret in the data directory cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A store cannot be opened, brought up to date or repaired.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A server cannot be used.
    #[error("{key}")]
    Server {
        /// The setting that names it.
        key: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something was interrupted and cannot be repaired.
    #[error("repair: {0}")]
    Repair(String),
    /// Two metrics have one name.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The address cannot be listened on.
    #[error("listen: {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
