//! The way to the server: plain, or through TLS.

use std::{path::Path, sync::Arc, time::Duration};

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use ports::BoxError;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::{
    Config, NoTls, Socket,
    config::SslMode,
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Silence after which the system asks whether the server is still there, and how often and how many
/// times it asks before the connection fails. Its own two hours would hold up whoever waits on a server
/// whose machine is gone.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);
/// How long what was sent may stay without a sign of receipt.
const RECEIPT: Duration = Duration::from_secs(30);

/// Where the server is, and how to speak to it.
#[derive(Clone)]
pub(super) struct Link {
    config: Arc<Config>,
    /// With `sslmode=require`.
    tls: Option<MakeRustlsConnect>,
}

impl Link {
    /// With `sslmode=require`, `verify-ca` or `verify-full` the server must show a certificate for its
    /// name from the system's authorities or from these. Any other mode connects without TLS.
    pub fn new(url: &str, authorities: &RootCertStore) -> Result<Self, BoxError> {
        let mut config: Config = known_mode(url).parse()?;
        outlive_silence(&mut config);
        let tls = match config.get_ssl_mode() {
            SslMode::Require => Some(MakeRustlsConnect::new(trusting(authorities)?)),
            _ => None,
        };
        if tls.is_none() {
            config.ssl_mode(SslMode::Disable);
        }
        Ok(Self {
            config: Arc::new(config),
            tls,
        })
    }

    pub async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        match &self.tls {
            Some(tls) => self.through(tls.clone()).await,
            None => self.through(NoTls).await,
        }
    }

    async fn through<T>(&self, tls: T) -> ConnectionResult<AsyncPgConnection>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, connection) = self.config.connect(tls).await.map_err(refused)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    }
}

/// Of the modes that ask for TLS the driver knows `require` only; here all of them verify everything.
fn known_mode(url: &str) -> String {
    let Some((server, parameters)) = url.split_once('?') else {
        return url.to_owned();
    };
    let known = |parameter| match parameter {
        "sslmode=verify-full" | "sslmode=verify-ca" => "sslmode=require",
        other => other,
    };
    let parameters: Vec<&str> = parameters.split('&').map(known).collect();
    format!("{server}?{}", parameters.join("&"))
}

/// What the URL says of it stays.
fn outlive_silence(config: &mut Config) {
    let (idle, interval, retries) = KEEPALIVE;
    let defaults = Config::new();
    if config.get_keepalives_idle() == defaults.get_keepalives_idle() {
        config.keepalives_idle(idle);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(interval);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(retries);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(RECEIPT);
    }
}

/// The driver's errors hide their cause, which says what to do.
fn refused(error: tokio_postgres::Error) -> ConnectionError {
    let cause = std::error::Error::source(&error);
    ConnectionError::BadConnection(
        cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")),
    )
}

/// The certificates of a file (PEM), or what is wrong with it.
pub(super) fn authorities(ca_file: &Path) -> Result<RootCertStore, BoxError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("there is none".into());
    }
    Ok(roots)
}

fn trusting(authorities: &RootCertStore) -> Result<ClientConfig, BoxError> {
    let mut roots = authorities.clone();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_that_the_driver_does_not_know_are_those_of_the_parameters_alone() {
        let url = "postgres://sslmode=verify-ca@host/name";
        assert_eq!(known_mode(url), url);
        let known = known_mode(&format!("{url}?connect_timeout=3&sslmode=verify-full"));
        assert_eq!(known, format!("{url}?connect_timeout=3&sslmode=require"));
    }

    fn link(url: &str) -> Link {
        Link::new(url, &RootCertStore::empty()).unwrap()
    }

    #[test]
    fn a_server_that_is_gone_is_noticed_in_half_a_minute_unless_the_url_says_otherwise() {
        let usual = link("postgres://host/name").config;
        assert_eq!(usual.get_keepalives_idle(), KEEPALIVE.0);
        assert_eq!(usual.get_tcp_user_timeout(), Some(&RECEIPT));
        let url = "postgres://host/name?keepalives_idle=60&tcp_user_timeout=5";
        let said = link(url).config;
        assert_eq!(said.get_keepalives_idle(), Duration::from_mins(1));
        assert_eq!(said.get_keepalives_interval(), Some(KEEPALIVE.1));
        assert_eq!(said.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
    }
}
