//! The way to the server: plain, or through TLS.

use std::{path::Path, sync::Arc};

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

/// Where the server is, and how to speak to it.
#[derive(Clone)]
pub(super) struct Link {
    config: Arc<Config>,
    /// With `sslmode=require`.
    tls: Option<MakeRustlsConnect>,
}

impl Link {
    /// With `sslmode=require`, `verify-ca` or `verify-full` the server must show a certificate for its
    /// name from the system's authorities or from `ca_file`. Any other mode connects without TLS.
    pub fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, BoxError> {
        // Of the three the driver knows the first only; here all of them verify everything.
        let known = ["verify-full", "verify-ca"]
            .iter()
            .fold(url.to_owned(), |url, mode| {
                url.replace(&format!("sslmode={mode}"), "sslmode=require")
            });
        let mut config: Config = known.parse()?;
        let tls = match config.get_ssl_mode() {
            SslMode::Require => Some(MakeRustlsConnect::new(trusting(ca_file)?)),
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

/// The driver's errors hide their cause, which says what to do.
fn refused(error: tokio_postgres::Error) -> ConnectionError {
    let cause = std::error::Error::source(&error);
    ConnectionError::BadConnection(
        cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")),
    )
}

fn trusting(ca_file: Option<&Path>) -> Result<ClientConfig, BoxError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        let told =
            |error: &dyn std::fmt::Display| format!("certificates in {}: {error}", file.display());
        for certificate in CertificateDer::pem_file_iter(file).map_err(|e| told(&e))? {
            let certificate = certificate.map_err(|e| told(&e))?;
            roots.add(certificate).map_err(|e| told(&e))?;
        }
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
