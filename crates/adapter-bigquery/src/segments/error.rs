//! What errors of the client mean to whoever asks about customers.

use ports::warehouse::WarehouseError;

use crate::Error;

/// An error, with a stable code and a sentence. Neither credentials nor values are in it.
pub fn told(error: Error) -> WarehouseError {
    let refused = |code, detail: String| WarehouseError::Refused { code, detail };
    match error {
        Error::BytesLimit { limit, needed } => WarehouseError::BytesLimit { limit, needed },
        Error::RateLimited { retry_after } => WarehouseError::Away {
            code: "rate_limited",
            detail: "BigQuery answers that there are too many requests".to_owned(),
            retry_after,
        },
        Error::Unavailable { code, retry_after } => WarehouseError::Away {
            code: match code {
                "no_token" => "credentials_unavailable",
                _ => "source_unavailable",
            },
            detail: match code {
                "no_token" => "what issues tokens cannot be reached".to_owned(),
                code => format!("BigQuery cannot be reached or fails: {code}"),
            },
            retry_after,
        },
        Error::Unauthorized => {
            let detail = "the credentials are broken, or BigQuery does not accept them";
            refused("credentials_invalid", detail.to_owned())
        }
        Error::Forbidden { reason } => {
            let code = match reason.as_str() {
                "quotaExceeded" => "quota_exceeded",
                "billingNotEnabled" => "billing_not_enabled",
                _ => "access_denied",
            };
            refused(
                code,
                format!("BigQuery refuses it to this account: {reason}"),
            )
        }
        Error::NotFound { what } => refused("source_not_found", format!("there is no such {what}")),
        Error::InvalidQuery { message } => {
            let detail = format!("BigQuery cannot run the query on these tables: {message}");
            refused("query_refused", detail)
        }
        Error::NotJson { status } => {
            let detail = format!("something other than BigQuery answers there, with {status}");
            refused("not_json", detail)
        }
        Error::TimedOut => {
            let detail = "the query did not end within `timeout_seconds`; it was cancelled";
            refused("source_timeout", detail.to_owned())
        }
        Error::Cancelled => {
            let detail = "the query was cancelled in BigQuery";
            refused("query_cancelled", detail.to_owned())
        }
        Error::Malformed(what) => contradicts(what),
        Error::Refused(what) => refused("source_refused", format!("the request fails: {what}")),
        Error::Settings(what) => refused("invalid_setting", format!("it has an invalid {what}")),
    }
}

/// An answer that contradicts itself, or what was asked.
pub fn contradicts(what: &'static str) -> WarehouseError {
    WarehouseError::Refused {
        code: "malformed_answer",
        detail: format!("the answer contradicts itself: {what}"),
    }
}
