//! Senders: which of them run, and the mail server.

use std::{net::IpAddr, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use crate::{Settings, SettingsError, servers::invalid};

/// Senders of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sender {
    /// Those that run, commas between: `log`, `smtp`. Default `log`, and `smtp` where `smtp.host` is set.
    pub kinds: Option<String>,
}

/// The mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// Its name, which its certificate is for.
    pub host: Option<String>,
    /// Its port. Default 587, with `tls = "tls"` 465, with `tls = "none"` 25.
    pub port: Option<u16>,
    /// How it is spoken to. Default `starttls`.
    pub tls: SmtpTls,
    /// Certificates (PEM) of the authorities that the server's may be from, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Who asks; with `password`.
    pub user: Option<String>,
    /// The password of `user`.
    pub password: Option<SecretString>,
    /// Whom e-mails are from, such as `News <news@example.com>`. Its domain names this side to the server, and is part
    /// of every `Message-ID`.
    pub from: Option<String>,
    /// The longest that one e-mail may take, in seconds, 1 to 9: a delivery has ten. Default 8.
    pub timeout_seconds: u64,
    /// Most connections of one process, 1 to 64. Default 8, as many as it handles deliveries at a time.
    pub pool_size: usize,
    /// The URL (`https:` or `mailto:`) of the header `List-Unsubscribe`, the same in every e-mail.
    pub list_unsubscribe: Option<String>,
}

/// How the mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// In the open.
    None,
    /// TLS that is asked for; without it, nothing is sent.
    Starttls,
    /// TLS from the beginning.
    Tls,
}

impl SmtpTls {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starttls => "starttls",
            Self::Tls => "tls",
        }
    }
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: SmtpTls::Starttls,
            ca_file: None,
            user: None,
            password: None,
            from: None,
            timeout_seconds: 8,
            pool_size: 8,
            list_unsubscribe: None,
        }
    }
}

impl Smtp {
    /// Whether what is said to it leaves the machine.
    fn is_here(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        let is_loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        host == "localhost" || is_loopback
    }

    /// The port that is meant.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::None => 25,
            SmtpTls::Starttls => 587,
            SmtpTls::Tls => 465,
        })
    }
}

/// Which senders run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderKinds {
    /// The log sender, for every channel that no other takes.
    pub log: bool,
    /// The one of e-mail.
    pub smtp: bool,
}

impl Settings {
    /// Which senders run.
    ///
    /// # Errors
    /// When `sender.kinds` names none, or something else, or `smtp` without what it needs.
    pub fn sender_kinds(&self) -> Result<SenderKinds, SettingsError> {
        let has_host = self.smtp.host.is_some();
        let Some(kinds) = &self.sender.kinds else {
            return Ok(SenderKinds {
                log: true,
                smtp: has_host,
            });
        };
        let names: Vec<&str> = kinds.split(',').map(str::trim).collect();
        if !names.iter().all(|name| ["log", "smtp"].contains(name)) {
            return Err(invalid("sender.kinds", "must be some of log, smtp"));
        }
        Ok(SenderKinds {
            log: names.contains(&"log"),
            smtp: names.contains(&"smtp"),
        })
    }

    pub(crate) fn validate_sender(&self) -> Result<(), SettingsError> {
        let kinds = self.sender_kinds()?;
        let smtp = &self.smtp;
        let is_set = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
        let rules = [
            ("smtp.host", !kinds.smtp || is_set(&smtp.host), "is not set"),
            ("smtp.from", !kinds.smtp || is_set(&smtp.from), "is not set"),
            ("smtp.port", smtp.port != Some(0), "must not be 0"),
            (
                "smtp.tls",
                smtp.tls != SmtpTls::None || smtp.user.is_none() || smtp.is_here(),
                "must not be none with smtp.user, unless smtp.host is this machine",
            ),
            (
                "smtp.password",
                smtp.user.is_some() == smtp.password.is_some(),
                "must be set with smtp.user, and not without it",
            ),
            (
                "smtp.timeout_seconds",
                (1..=9).contains(&smtp.timeout_seconds),
                "must be from 1 to 9",
            ),
            (
                "smtp.pool_size",
                (1..=64).contains(&smtp.pool_size),
                "must be from 1 to 64",
            ),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((key, _, rule)) => Err(invalid(key, rule)),
            None => Ok(()),
        }
    }
}
