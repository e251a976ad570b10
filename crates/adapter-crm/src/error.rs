//! What a failed request means.

use http_client::{Cause, causes};
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
    let cause = Cause::of(&error);
    let code = cause.code();
    if cause == Cause::Certificate {
        return SourceError::Refused { code };
    }
    SourceError::Transient {
        code,
        source: Some(error.into()),
    }
}
