//! Where the broker is, and why a start fails.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::Duration,
};

use lapin::{
    ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
    tcp::OwnedTLSConfig,
    uri::AMQPUri,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use secrecy::{ExposeSecret, SecretString};

use crate::topology::Undeclared;

/// How often each end of a connection shows that it lives; silence of twice that ends it.
const HEARTBEAT: u16 = 15;

/// Where the broker is, and what its exchanges and queues begin with.
#[derive(Debug, Clone)]
pub struct RabbitSettings {
    url: SecretString,
    prefix: String,
    tls: OwnedTLSConfig,
    heal_every: Duration,
}

impl RabbitSettings {
    /// Checks an `amqp://` or `amqps://` URL and a prefix of `[a-z][a-z0-9_-]*`, at most 40 bytes.
    ///
    /// # Errors
    /// [`RabbitStartError::Url`] or [`RabbitStartError::Prefix`].
    pub fn new(url: &str, prefix: &str) -> Result<Self, RabbitStartError> {
        parse(url)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let named = prefix.starts_with(|c: char| c.is_ascii_lowercase());
        if !named || prefix.len() > 40 || !prefix.bytes().all(plain) {
            return Err(RabbitStartError::Prefix);
        }
        Ok(Self {
            url: SecretString::from(url),
            prefix: prefix.to_owned(),
            tls: OwnedTLSConfig::default(),
            heal_every: Duration::from_secs(15),
        })
    }

    /// Lets authorities whose certificates are in this file (PEM) vouch for the broker, beside the
    /// system's. The file is read now, and not again.
    ///
    /// # Errors
    /// [`RabbitStartError::Authorities`] when it cannot be read, or holds no certificate or a broken one.
    pub fn trusting(mut self, ca_file: &Path) -> Result<Self, RabbitStartError> {
        let unusable = |reason: &dyn Display| RabbitStartError::Authorities {
            file: ca_file.to_owned(),
            reason: reason.to_string(),
        };
        let pem = std::fs::read_to_string(ca_file).map_err(|e| unusable(&e))?;
        // The client passes over what it cannot parse, and then trusts less than it was told to.
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|e| unusable(&e))?;
            roots.add(certificate).map_err(|e| unusable(&e))?;
        }
        if roots.is_empty() {
            return Err(unusable(&"there is none"));
        }
        self.tls.cert_chain = Some(pem);
        Ok(self)
    }

    /// How often everything is declared again, so that what was deleted comes back; 15 s by default.
    #[must_use]
    pub const fn heal_every(mut self, interval: Duration) -> Self {
        self.heal_every = interval;
        self
    }

    pub(crate) const fn healing(&self) -> Duration {
        self.heal_every
    }

    /// The first part of every name.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What is trusted beside the system's authorities.
    pub(crate) fn tls(&self) -> OwnedTLSConfig {
        self.tls.clone()
    }

    /// The address with our limits.
    pub(crate) fn uri(&self) -> Result<AMQPUri, RabbitStartError> {
        let mut uri = parse(self.url.expose_secret())?;
        uri.query.heartbeat = Some(HEARTBEAT);
        Ok(uri)
    }

    /// Host and port, for messages.
    pub(crate) fn address(&self) -> String {
        parse(self.url.expose_secret()).map_or_else(
            |_| String::new(),
            |uri| format!("{}:{}", uri.authority.host, uri.authority.port),
        )
    }
}

/// The parser's own message may repeat the URL, and with it the password.
fn parse(url: &str) -> Result<AMQPUri, RabbitStartError> {
    url.parse().map_err(|_| RabbitStartError::Url)
}

/// Why the bus cannot start. Never shows the password.
#[derive(Debug, thiserror::Error)]
pub enum RabbitStartError {
    /// The URL is malformed.
    #[error("the URL is not of the form amqp://USER:PASSWORD@HOST:PORT/VHOST")]
    Url,
    /// The prefix is malformed.
    #[error("the prefix is not 1 to 40 of a-z, 0-9, _ and -, beginning with a letter")]
    Prefix,
    /// The authorities' certificates cannot be used.
    #[error("certificates in {}: {reason}", .file.display())]
    Authorities {
        /// Where they should be.
        file: PathBuf,
        /// What is wrong there.
        reason: String,
    },
    /// Nobody answers, or not in time. Trying again later may help.
    #[error("no broker answers at {address}: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The broker does not let us in.
    #[error("the broker at {address} refuses the user, the password or the virtual host: {reason}")]
    Refused {
        /// Host and port.
        address: String,
        /// What it says.
        reason: String,
    },
    /// An exchange, a queue or a binding cannot be declared.
    #[error("{name} cannot be declared: {reason}")]
    Topology {
        /// The exchange or queue.
        name: String,
        /// What the broker says.
        reason: String,
    },
}

impl RabbitStartError {
    /// Whether the same start may succeed later, without anyone's doing here.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    pub(crate) fn late(settings: &RabbitSettings, limit: Duration) -> Self {
        Self::Unreachable {
            address: settings.address(),
            reason: format!("no answer within {} s", limit.as_secs()),
        }
    }

    pub(crate) fn connecting(settings: &RabbitSettings, error: &lapin::Error) -> Self {
        let (address, reason) = (settings.address(), error.to_string());
        let refused = match error.kind() {
            ErrorKind::ProtocolError(error) => matches!(
                error.kind(),
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
                    | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
            ),
            _ => false,
        };
        if refused {
            Self::Refused { address, reason }
        } else {
            Self::Unreachable { address, reason }
        }
    }

    /// A declaration that failed: the broker's refusal is ours to mend, a lost connection is not.
    pub(crate) fn declaring(settings: &RabbitSettings, undeclared: Undeclared) -> Self {
        let reason = undeclared.error.to_string();
        if undeclared.is_refusal() {
            let name = undeclared.name;
            Self::Topology { name, reason }
        } else {
            let address = settings.address();
            Self::Unreachable { address, reason }
        }
    }
}
