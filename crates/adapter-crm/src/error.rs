//! What a failed request means.

use std::{error::Error, io, iter};

use ports::crm::SourceError;
use reqwest::StatusCode;

use crate::guard::NoPublicAddress;

/// An answer that brings no page, by its status. `None` for one that may.
pub fn by_status(
    status: StatusCode,
    retry_after: Option<std::time::Duration>,
) -> Option<SourceError> {
    let transient = |code| SourceError::Transient { code, source: None };
    Some(match status.as_u16() {
        200 => return None,
        401 | 403 => SourceError::Unauthorized,
        404 => SourceError::NotFound,
        429 => SourceError::RateLimited { retry_after },
        503 if retry_after.is_some() => SourceError::RateLimited { retry_after },
        408 | 425 | 500..=599 => transient("server_error"),
        300..=399 => SourceError::Refused { code: "redirected" },
        201..=299 => SourceError::Malformed {
            code: "unexpected_status",
        },
        _ => SourceError::Refused {
            code: "request_refused",
        },
    })
}

/// A request that got no answer, or not all of it. The error loses its URL, which names the ticket.
pub fn by_cause(error: reqwest::Error) -> SourceError {
    let error = error.without_url();
    if causes(&error).any(|cause| cause.is::<NoPublicAddress>()) {
        return SourceError::Refused {
            code: "private_address",
        };
    }
    if causes(&error).any(is_bad_certificate) {
        return SourceError::Refused {
            code: "invalid_certificate",
        };
    }
    let code = if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "not_reachable"
    } else {
        "connection_lost"
    };
    SourceError::Transient {
        code,
        source: Some(error.into()),
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
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
