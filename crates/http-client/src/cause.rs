//! Why a request got no answer.

use std::{error::Error, io, iter};

/// Why a request got no answer, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The server's certificate is not trusted.
    Certificate,
    /// A time limit passed.
    Timeout,
    /// No connection came about.
    NotReachable,
    /// The connection broke.
    Lost,
}

impl Cause {
    /// The cause of an error.
    pub fn of(error: &reqwest::Error) -> Self {
        if causes(error).any(is_bad_certificate) {
            Self::Certificate
        } else if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::NotReachable
        } else {
            Self::Lost
        }
    }

    /// A stable code of it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Certificate => "invalid_certificate",
            Self::Timeout => "timeout",
            Self::NotReachable => "not_reachable",
            Self::Lost => "connection_lost",
        }
    }
}

/// The error and all that it was made of.
pub fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        // An I/O error hides what it was made of behind the source of that.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

fn is_bad_certificate(error: &(dyn Error + 'static)) -> bool {
    matches!(
        error.downcast_ref(),
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}
