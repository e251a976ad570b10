//! Connections to the server, kept for the next e-mail.
//!
//! The client's own pool takes back a connection that was cut off within a dialogue: the answer that comes late is then
//! taken for that to the next e-mail. Here such a connection is closed.

use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};

/// A connection that was not used for so long is not asked whether it still works.
const IDLE: Duration = Duration::from_secs(60);

/// How TLS comes about.
pub(crate) enum Tls {
    None,
    Asked(TlsParameters),
    Always(TlsParameters),
}

/// Opens connections.
pub(crate) struct Connector {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub hello: ClientId,
    pub credentials: Option<Credentials>,
    pub timeout: Duration,
}

/// A connection, and whether something is under way on it.
pub(crate) struct Connection {
    pub smtp: AsyncSmtpConnection,
    pub busy: bool,
}

impl Manager for Connector {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let server = (self.host.as_str(), self.port);
        let always = match &self.tls {
            Tls::Always(tls) => Some(tls.clone()),
            Tls::None | Tls::Asked(_) => None,
        };
        let timeout = Some(self.timeout);
        let mut smtp =
            AsyncSmtpConnection::connect_tokio1(server, timeout, &self.hello, always, None).await?;
        if let Tls::Asked(tls) = &self.tls {
            smtp.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            smtp.auth(&mechanisms, credentials).await?;
        }
        Ok(Connection { smtp, busy: false })
    }

    async fn recycle(&self, kept: &mut Connection, metrics: &Metrics) -> RecycleResult<Error> {
        let is_good = !kept.busy
            && !kept.smtp.has_broken()
            && metrics.last_used() < IDLE
            && kept.smtp.test_connected().await;
        if is_good {
            Ok(())
        } else {
            Err(RecycleError::message("closed, or cut off"))
        }
    }
}
