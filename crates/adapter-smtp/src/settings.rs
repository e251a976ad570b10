//! Where the mail server is, and why a start fails.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use secrecy::SecretString;

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In the open.
    Plain,
    /// TLS that is asked for; without it, nothing is sent.
    Starttls,
    /// TLS from the beginning.
    Tls,
}

/// Where the server is, and what every e-mail has.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Name of the server, which its certificate is for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Certificates (PEM) of authorities that may vouch for it, beside the system's. Read once.
    pub ca_file: Option<PathBuf>,
    /// User and password.
    pub credentials: Option<(String, SecretString)>,
    /// Whom e-mails are from: an address, or `Name <address>`.
    pub from: String,
    /// URL of `List-Unsubscribe`.
    pub list_unsubscribe: Option<String>,
    /// The longest that one e-mail may take, from the wait for a connection on.
    pub timeout: Duration,
    /// Most connections.
    pub connections: usize,
}

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// `from` is no address.
    #[error("must be an address, or a name with an address in angle brackets")]
    From,
    /// `list_unsubscribe` is no such URL.
    #[error("must be an https or mailto URL")]
    ListUnsubscribe,
    /// The certificates cannot be used.
    #[error("certificates in {}: {reason}", file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Nobody could vouch for the server, or it has a name that no certificate is for.
    #[error("TLS cannot be set up")]
    Tls,
}

/// What TLS with the server is to be like.
pub(crate) fn tls(settings: &SmtpSettings) -> Result<TlsParameters, SetupError> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        for certificate in certificates(file)? {
            tls = tls.add_root_certificate(certificate);
        }
    }
    tls.build().map_err(|_| SetupError::Tls)
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, SetupError> {
    let unusable = |reason: &dyn Display| SetupError::Authorities {
        file: file.to_owned(),
        reason: reason.to_string(),
    };
    let pem = std::fs::read(file).map_err(|e| unusable(&e))?;
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| unusable(&e))?;
        // The client passes over what it cannot parse, and then trusts less than it was told to.
        let parsed = RootCertStore::empty().add(certificate.clone());
        parsed.map_err(|e| unusable(&e))?;
        let der = certificate.to_vec();
        found.push(Certificate::from_der(der).map_err(|e| unusable(&e))?);
    }
    if found.is_empty() {
        return Err(unusable(&"there is none"));
    }
    Ok(found)
}
