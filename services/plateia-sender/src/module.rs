//! Puts the senders together: with `module/embedded.rs` and `module/replica.rs` the only files that name
//! adapters.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "replica")]
mod replica;

use std::{sync::Arc, time::Duration};

use adapter_smtp::{Security, SetupError, SmtpSender, SmtpSettings};
use adapter_sql::Context;
use kernel::Wake;
use messaging::Signal;
use ports::{
    bus::{DeadLetters, EnvironmentStore, InboxStore, OutboxQueue, Subscription},
    sending::{MessageSender, SendingStore},
};
use runtime::{Lifecycle, SystemClock};
use service_kit::{Host, Messaging, Module, StartError, Started};
use settings::{Settings, SettingsError, Smtp, SmtpTls};

#[cfg(feature = "embedded")]
pub use embedded::embedded;
#[cfg(feature = "replica")]
pub use replica::PlateiaSender;

use crate::{
    handler::{Dispatches, SendDispatch},
    log::{LogFile, LogSender},
    workers,
};

/// What the database holds.
const CONTEXTS: &[Context] = &[Context::Messaging, Context::Sending];
/// The log sender's file in the data directory.
const FILE: &str = "dispatches.ndjson";

/// The senders, their store open.
struct Senders<Db> {
    db: Db,
    dispatches: Arc<Dispatches>,
    /// Ties them to the process once that has begun.
    attach: Box<dyn FnOnce(&Lifecycle) + Send>,
}

impl<Db> Senders<Db>
where
    Db: SendingStore + Clone + 'static,
{
    fn new(
        db: Db,
        senders: Vec<Arc<dyn MessageSender>>,
        wake: Wake,
        attach: impl FnOnce(&Lifecycle) + Send + 'static,
    ) -> Self {
        let dispatches = Dispatches {
            store: Arc::new(db.clone()),
            clock: Arc::new(SystemClock),
            wake,
            senders,
        };
        Self {
            db,
            dispatches: Arc::new(dispatches),
            attach: Box::new(attach),
        }
    }
}

impl<Db> Module for Senders<Db>
where
    Db: OutboxQueue + InboxStore + DeadLetters + EnvironmentStore + Clone + 'static,
{
    fn messaging(&self) -> Messaging {
        let signal = Signal::from(self.dispatches.wake.on_outbox());
        Messaging::of("sender", &self.db, signal, |router| {
            let subscription = Subscription::from_static(events::SENDERS);
            router.on(subscription, SendDispatch(Arc::clone(&self.dispatches)))
        })
    }

    fn start(self: Box<Self>, host: &Host) -> Option<Started> {
        (self.attach)(&host.life);
        if host.roles.workers {
            let Dispatches { store, clock, .. } = &*self.dispatches;
            workers::start(store, clock, &host.life);
        }
        None
    }
}

/// The senders that are asked for; that of every channel comes last.
fn senders(settings: &Settings) -> Result<Vec<Arc<dyn MessageSender>>, StartError> {
    let mut senders: Vec<Arc<dyn MessageSender>> = Vec::new();
    if let Some(smtp) = smtp(settings)? {
        senders.push(Arc::new(smtp));
    }
    if settings.sender_kinds()?.log {
        let dir = settings.data_dir.as_path();
        std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
        let file = LogFile::open(&dir.join(FILE)).map_err(StartError::DataDir)?;
        senders.push(Arc::new(LogSender::new(file)));
    }
    Ok(senders)
}

/// The sender of e-mail, where it is asked for. Connects to nobody.
fn smtp(settings: &Settings) -> Result<Option<SmtpSender>, SettingsError> {
    if !settings.sender_kinds()?.smtp {
        return Ok(None);
    }
    let sender = SmtpSender::new(mail_server(&settings.smtp));
    sender.map(Some).map_err(|error| SettingsError::Unusable {
        key: match error {
            SetupError::From => "smtp.from",
            SetupError::ListUnsubscribe => "smtp.list_unsubscribe",
            SetupError::Authorities { .. } => "smtp.ca_file",
            SetupError::Tls => "smtp.host",
        },
        reason: error.to_string(),
    })
}

fn mail_server(smtp: &Smtp) -> SmtpSettings {
    let port = smtp.port();
    let smtp = smtp.clone();
    SmtpSettings {
        host: smtp.host.unwrap_or_default(),
        port,
        security: match smtp.tls {
            SmtpTls::None => Security::Plain,
            SmtpTls::Starttls => Security::Starttls,
            SmtpTls::Tls => Security::Tls,
        },
        ca_file: smtp.ca_file,
        credentials: smtp.user.zip(smtp.password),
        from: smtp.from.unwrap_or_default(),
        list_unsubscribe: smtp.list_unsubscribe,
        timeout: Duration::from_secs(smtp.timeout_seconds),
        connections: smtp.pool_size,
    }
}

#[cfg(test)]
mod tests {
    use settings::{ExposeSecret, SecretString};

    use super::*;

    #[test]
    fn every_setting_of_the_mail_server_reaches_it() {
        for (tls, security, port) in [
            (SmtpTls::None, Security::Plain, 25),
            (SmtpTls::Starttls, Security::Starttls, 587),
            (SmtpTls::Tls, Security::Tls, 465),
        ] {
            let set = mail_server(&Smtp {
                host: Some("mail.example.com".to_owned()),
                tls,
                ca_file: Some("ca.pem".into()),
                user: Some("me".to_owned()),
                password: Some(SecretString::from("hunter2")),
                from: Some("news@example.com".to_owned()),
                timeout_seconds: 3,
                pool_size: 2,
                list_unsubscribe: Some("mailto:leave@example.com".to_owned()),
                ..Smtp::default()
            });
            assert_eq!((set.security, set.port), (security, port));
            assert_eq!(set.host, "mail.example.com");
            assert_eq!(set.ca_file, Some("ca.pem".into()));
            assert_eq!(set.from, "news@example.com");
            assert_eq!((set.timeout.as_secs(), set.connections), (3, 2));
            let leave = set.list_unsubscribe.as_deref();
            assert_eq!(leave, Some("mailto:leave@example.com"));
            let (user, password) = set.credentials.unwrap();
            assert_eq!((user.as_str(), password.expose_secret()), ("me", "hunter2"));
        }
    }
}
