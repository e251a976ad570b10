//! Sends, and says what became of it.

use async_trait::async_trait;
use deadpool::managed::{Object, Pool, PoolError};
use domain::customer::Channel;
use lettre::transport::smtp::{Error, authentication::Credentials, extension::ClientId};
use ports::sending::{Dispatch, MessageSender, NotPassed, Passed};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use crate::{
    Security, SetupError, SmtpSettings,
    connection::{Connector, Tls},
    letter::{Letter, Writer},
    settings,
};

/// Codes by which the server says that it does not know us: no e-mail's fault.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

/// Sends e-mail by one server.
pub struct SmtpSender {
    writer: Writer,
    pool: Pool<Connector>,
    settings: SmtpSettings,
}

impl SmtpSender {
    /// A sender. It connects when there is something to send.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(settings: SmtpSettings) -> Result<Self, SetupError> {
        let writer = Writer::new(&settings.from, settings.list_unsubscribe.as_deref())?;
        let tls = match settings.security {
            Security::Plain => Tls::None,
            Security::Starttls => Tls::Asked(settings::tls(&settings)?),
            Security::Tls => Tls::Always(settings::tls(&settings)?),
        };
        let credentials = settings.credentials.as_ref().map(|(user, password)| {
            Credentials::new(user.clone(), password.expose_secret().to_owned())
        });
        let connector = Connector {
            host: settings.host.clone(),
            port: settings.port,
            tls,
            hello: ClientId::Domain(writer.domain().to_owned()),
            credentials,
            timeout: settings.timeout,
        };
        let pool = Pool::builder(connector)
            .max_size(settings.connections)
            .build()
            .map_err(|_| SetupError::Tls)?;
        Ok(Self {
            writer,
            pool,
            settings,
        })
    }

    async fn pass(&self, letter: &Letter) -> Result<(), NotPassed> {
        let mut connection = self.pool.get().await.map_err(not_connected)?;
        connection.busy = true;
        let sent = connection.smtp.send(&letter.envelope, &letter.bytes).await;
        if let Err(error) = sent {
            // Closed now, and not when somebody asks for one.
            drop(Object::take(connection));
            return Err(not_sent(&error, letter));
        }
        connection.busy = false;
        Ok(())
    }
}

#[async_trait]
impl MessageSender for SmtpSender {
    fn takes(&self, channel: Channel) -> bool {
        channel == Channel::Email
    }

    /// SMTP knows no question whether something was sent: what is sent again has the same `Message-ID`.
    async fn send(&self, dispatch: &Dispatch, _again: bool) -> Result<Passed, NotPassed> {
        let letter = self.writer.write(dispatch)?;
        let limit = self.settings.timeout;
        match timeout(limit, self.pass(&letter)).await {
            Ok(passed) => passed?,
            Err(_) => {
                let seconds = limit.as_secs_f32();
                let reason = format!("the mail server took longer than {seconds} s");
                return Err(NotPassed::unavailable(reason));
            }
        }
        Ok(Passed {
            provider_id: Some(letter.id),
        })
    }
}

/// What an error says without what the server said, which may repeat an address.
fn reason(error: &Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    if error.is_tls() {
        return "no TLS with the mail server".to_owned();
    }
    if error.is_client() {
        return "the mail server has no STARTTLS, or no login that is known".to_owned();
    }
    if error.is_response() {
        return "the mail server went away, or says what is no answer".to_owned();
    }
    "no connection to the mail server".to_owned()
}

/// Nothing was sent, whatever the server says before an e-mail: the next may go through.
fn not_connected(error: PoolError<Error>) -> NotPassed {
    NotPassed::unavailable(match error {
        PoolError::Backend(error) => reason(&error),
        _ => "no connection to the mail server".to_owned(),
    })
}

fn not_sent(error: &Error, letter: &Letter) -> NotPassed {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !ABOUT_US.contains(&code) => {
            NotPassed::refused(code.to_string())
        }
        None if error.is_client() && !letter.is_ascii() => {
            NotPassed::refused("address_not_supported")
        }
        _ => NotPassed::unavailable(reason(error)),
    }
}
