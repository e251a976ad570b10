//! What can be configured, with its defaults.

use std::{net::SocketAddr, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    Bigquery, Imports, Installation, Sender, SettingsError, Smtp,
    servers::{Mongodb, Postgres, Rabbitmq, Secrets},
};

/// One process. Secrets print as `[REDACTED]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address of the server; port 0 takes a free one. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Directory of databases and uploads. Default `data`.
    pub data_dir: PathBuf,
    /// A key that opens the default workspace.
    pub api_key: Option<SecretString>,
    /// Shared with the gateway, whose headers count when it is sent along.
    pub gateway_secret: Option<SecretString>,
    /// What one request may take.
    pub limits: Limits,
    /// How much runs at once.
    pub workers: Workers,
    /// How long data are kept.
    pub retention: Retention,
    /// Segments.
    pub segments: Segments,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The relational database of a service; the embedded process has its own.
    pub postgres: Postgres,
    /// The contact store of a service.
    pub mongodb: Mongodb,
    /// The broker of a service.
    pub rabbitmq: Rabbitmq,
    /// What a replica does: some of `api,workers,relay,consumers`. Default all.
    pub roles: String,
    /// Secrets that all replicas share.
    pub secrets: Secrets,
    /// Imports from outside CRMs.
    pub imports: Imports,
    /// Customers in BigQuery.
    pub bigquery: Bigquery,
    /// audience-service, for other services.
    pub audience: AudienceService,
    /// Senders.
    pub sender: Sender,
    /// The mail server.
    pub smtp: Smtp,
    /// Which installation this is.
    pub environment: Installation,
}

/// audience-service, for other services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AudienceService {
    /// Base URL at which scheduler-service asks it who and what there is in a workspace:
    /// `http://audience-service:8080`.
    pub url: Option<String>,
}

/// What one request may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest JSON body in bytes, unpacked. Default 64 MiB.
    pub body_bytes: usize,
    /// Most items of one write. Default 100,000.
    pub items: usize,
    /// Most open event streams. Default 1,000.
    pub sse: usize,
}

/// How much runs at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// Threads that serve HTTP. Default 2.
    pub http: Option<usize>,
    /// Long operations of each kind at a time: files and copies; removals; purges. Default 1.
    pub operations: usize,
}

/// How long data are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days after which an event of a customer is deleted. Default 730.
    pub customer_events_days: u32,
}

/// Segments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Segments {
    /// The share of its size, in percent, by which a refresh may change an audience without being confirmed.
    /// Default 50.
    pub guard_percent: u32,
    /// Size over which that is looked at. Default 1,000.
    pub guard_from: i64,
}

/// Logs and traces.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Form of the log. Default `text`.
    pub log_format: LogFormat,
    /// `tracing` filter. Default `info`.
    pub level: String,
    /// Base URL of an OTLP/HTTP collector; traces are exported only when it is set.
    pub otlp_endpoint: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: PathBuf::from("data"),
            api_key: None,
            gateway_secret: None,
            limits: Limits::default(),
            workers: Workers::default(),
            retention: Retention::default(),
            segments: Segments::default(),
            telemetry: Telemetry::default(),
            postgres: Postgres::default(),
            mongodb: Mongodb::default(),
            rabbitmq: Rabbitmq::default(),
            roles: "api,workers,relay,consumers".to_owned(),
            secrets: Secrets::default(),
            imports: Imports::default(),
            bigquery: Bigquery::default(),
            audience: AudienceService::default(),
            sender: Sender::default(),
            smtp: Smtp::default(),
            environment: Installation::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024 * 1024,
            items: 100_000,
            sse: 1000,
        }
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            http: None,
            operations: 1,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            customer_events_days: 730,
        }
    }
}

impl Default for Segments {
    fn default() -> Self {
        Self {
            guard_percent: 50,
            guard_from: 1_000,
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            level: "info".to_owned(),
            otlp_endpoint: None,
        }
    }
}

/// A shorter secret is guessed sooner or later.
const MIN_SECRET: usize = 16;
/// A hundred years: longer ones leave the calendar.
const MAX_DAYS: u32 = 36_500;

impl Settings {
    pub(crate) fn validate(&self) -> Result<(), SettingsError> {
        let long_enough = |secret: &Option<SecretString>| {
            secret
                .as_ref()
                .is_none_or(|secret| secret.expose_secret().len() >= MIN_SECRET)
        };
        let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        let rules = [
            (
                "data_dir",
                !self.data_dir.as_os_str().is_empty(),
                "must not be empty",
            ),
            (
                "api_key",
                long_enough(&self.api_key),
                "must have 16 characters or more",
            ),
            (
                "gateway_secret",
                long_enough(&self.gateway_secret),
                "must have 16 characters or more",
            ),
            (
                "limits.body_bytes",
                self.limits.body_bytes >= 1024,
                "must be 1024 or more",
            ),
            ("limits.items", self.limits.items >= 1, "must be 1 or more"),
            (
                "workers.http",
                self.workers.http != Some(0),
                "must be 1 or more",
            ),
            (
                "workers.operations",
                self.workers.operations >= 1,
                "must be 1 or more",
            ),
            (
                "retention.customer_events_days",
                (1..=MAX_DAYS).contains(&self.retention.customer_events_days),
                "must be from 1 to 36500",
            ),
            (
                "segments.guard_from",
                self.segments.guard_from >= 0,
                "must be 0 or more",
            ),
            (
                "telemetry.otlp_endpoint",
                self.telemetry.otlp_endpoint.as_ref().is_none_or(is_url),
                "must be an http or https URL",
            ),
            (
                "bigquery.endpoint",
                is_url(&self.bigquery.endpoint),
                "must be an http or https URL",
            ),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((key, _, rule)) => Err(SettingsError::Invalid { key, rule }),
            None => self
                .validate_imports()
                .and_then(|()| self.validate_sender())
                .and_then(|()| self.validate_environment()),
        }
    }
}
