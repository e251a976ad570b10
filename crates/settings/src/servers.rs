//! The servers that a service stands on, and the part of the work that a replica takes.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{Settings, SettingsError};

/// A relational database of the service's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database`; with `?sslmode=require` through TLS.
    pub url: Option<SecretString>,
    /// Certificates (PEM) of the authorities that the server's may be from, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Schema that holds the tables, made when it is missing. Default: the server's.
    pub schema: Option<String>,
    /// Most connections of one replica. Default 16.
    pub max_connections: usize,
}

/// Where contacts are.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mongodb {
    /// `mongodb://user:password@host:port/?replicaSet=name`.
    pub url: Option<SecretString>,
    /// Name of the database. Default `plateia`.
    pub database: String,
}

/// The broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rabbitmq {
    /// `amqp://user:password@host:port/vhost`; `amqps://` through TLS.
    pub url: Option<SecretString>,
    /// Certificates (PEM) of the authorities that the broker's may be from, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// First part of the name of every exchange and queue. Default `plateia`.
    pub prefix: String,
    /// Whether a replica starts while nobody answers there. Off as a rule: a wrong address should not
    /// look like a broker that is away.
    pub may_be_away: bool,
}

/// Secrets that all replicas share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// What cursors are sealed, contact ids are made and tokens of clients are encrypted with; 32
    /// characters or more.
    pub key: Option<SecretString>,
}

/// What a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Answers requests.
    pub api: bool,
    /// Works on operations.
    pub workers: bool,
    /// Publishes what the outbox holds.
    pub relay: bool,
    /// Takes events from the broker.
    pub consumers: bool,
}

impl Roles {
    /// Everything.
    pub const ALL: Self = Self {
        api: true,
        workers: true,
        relay: true,
        consumers: true,
    };

    const NAMES: [&str; 4] = ["api", "workers", "relay", "consumers"];
}

/// What a service needs beside its database and the broker, all of it there.
#[derive(Debug, Clone)]
pub struct Servers {
    /// URL of the contact store.
    pub mongodb_url: SecretString,
    /// What cursors are sealed and contact ids are made with.
    pub key: SecretString,
    /// What this replica does.
    pub roles: Roles,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            url: None,
            schema: None,
            ca_file: None,
            max_connections: 16,
        }
    }
}

impl Default for Mongodb {
    fn default() -> Self {
        Self {
            url: None,
            database: "plateia".to_owned(),
        }
    }
}

impl Default for Rabbitmq {
    fn default() -> Self {
        Self {
            url: None,
            ca_file: None,
            prefix: "plateia".to_owned(),
            may_be_away: false,
        }
    }
}

/// A shorter key is guessed sooner or later.
const MIN_KEY: usize = 32;

impl Settings {
    /// The servers of a service.
    ///
    /// # Errors
    /// Names the first key that is missing or malformed.
    pub fn servers(&self) -> Result<Servers, SettingsError> {
        let key = self.secret_key()?;
        self.database()?;
        self.broker()?;
        Ok(Servers {
            mongodb_url: url(
                &self.mongodb.url,
                "mongodb.url",
                &["mongodb", "mongodb+srv"],
            )?,
            key,
            roles: self.roles()?,
        })
    }

    /// What all replicas encrypt with.
    ///
    /// # Errors
    /// When it is missing or too short.
    pub fn secret_key(&self) -> Result<SecretString, SettingsError> {
        let key = required(&self.secrets.key, "secrets.key")?;
        if key.expose_secret().chars().count() < MIN_KEY {
            return Err(invalid("secrets.key", "must have 32 characters or more"));
        }
        Ok(key)
    }

    /// The database of a service that needs nothing else.
    ///
    /// # Errors
    /// Names the key when it is missing or malformed.
    pub fn database(&self) -> Result<SecretString, SettingsError> {
        url(
            &self.postgres.url,
            "postgres.url",
            &["postgres", "postgresql"],
        )
    }

    /// The broker.
    ///
    /// # Errors
    /// Names the key when it is missing or malformed.
    pub fn broker(&self) -> Result<SecretString, SettingsError> {
        url(&self.rabbitmq.url, "rabbitmq.url", &["amqp", "amqps"])
    }

    /// What this replica does.
    ///
    /// # Errors
    /// When `roles` names none, or something else.
    pub fn roles(&self) -> Result<Roles, SettingsError> {
        let names: Vec<&str> = self.roles.split(',').map(str::trim).collect();
        let known = |name: &&str| Roles::NAMES.contains(name);
        if !names.iter().all(known) {
            return Err(invalid(
                "roles",
                "must be some of api, workers, relay, consumers",
            ));
        }
        let has = |name| names.contains(&name);
        Ok(Roles {
            api: has("api"),
            workers: has("workers"),
            relay: has("relay"),
            consumers: has("consumers"),
        })
    }
}

fn required(
    value: &Option<SecretString>,
    key: &'static str,
) -> Result<SecretString, SettingsError> {
    value
        .clone()
        .filter(|value| !value.expose_secret().trim().is_empty())
        .ok_or_else(|| invalid(key, "is not set"))
}

fn url(
    value: &Option<SecretString>,
    key: &'static str,
    schemes: &[&str],
) -> Result<SecretString, SettingsError> {
    let value = required(value, key)?;
    let scheme = value.expose_secret().split_once("://").map(|(s, _)| s);
    if scheme.is_some_and(|scheme| schemes.contains(&scheme)) {
        Ok(value)
    } else {
        // Not the value: it may hold a password.
        Err(invalid(key, "is no URL of that kind of server"))
    }
}

pub(crate) const fn invalid(key: &'static str, rule: &'static str) -> SettingsError {
    SettingsError::Invalid { key, rule }
}
