//! What can go wrong, and what answers that bring nothing mean.

use std::time::Duration;

use http_client::{Cause, NoBody};
use ports::ErrorClass;
use reqwest::StatusCode;
use serde::Deserialize;

/// Why there is no answer. Neither credentials nor values are in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The client, or a name that it was given, cannot be.
    #[error("invalid setting: {0}")]
    Settings(&'static str),
    /// The credentials are broken, or not accepted.
    #[error("the credentials are not valid")]
    Unauthorized,
    /// The account may not do this, or has used up its quota.
    #[error("forbidden: {reason}")]
    Forbidden {
        /// BigQuery's name of the reason, such as `accessDenied` or `quotaExceeded`.
        reason: String,
    },
    /// The project, the data set, the table or the job does not exist where it was looked for.
    #[error("{what} not found")]
    NotFound {
        /// Which of them.
        what: &'static str,
    },
    /// BigQuery refuses the query, or cannot finish it.
    #[error("invalid query: {message}")]
    InvalidQuery {
        /// What BigQuery says about it, without what it quotes, and the position in the text.
        message: String,
    },
    /// It would be billed for more than allowed. Nothing was billed.
    #[error("the query is limited to {limit} bytes billed; needed: {}", or_unknown(*needed))]
    BytesLimit {
        /// The limit of the query.
        limit: u64,
        /// How many it needs, if BigQuery says so.
        needed: Option<u64>,
    },
    /// Too many requests or queries.
    #[error("rate limited")]
    RateLimited {
        /// How long BigQuery asks to wait.
        retry_after: Option<Duration>,
    },
    /// BigQuery, or what issues tokens, fails or cannot be reached.
    #[error("unavailable: {code}")]
    Unavailable {
        /// What happened.
        code: &'static str,
        /// How long BigQuery asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is no JSON: something other than BigQuery answers there.
    #[error("answer {status} is not JSON")]
    NotJson {
        /// Its status.
        status: u16,
    },
    /// The request cannot be answered at all.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The query did not finish within its time. Its job was cancelled.
    #[error("the query took too long")]
    TimedOut,
    /// The answer contradicts the API's description, or itself.
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    /// The job was cancelled, by this client or by somebody else.
    #[error("the query was cancelled")]
    Cancelled,
}

fn or_unknown(number: Option<u64>) -> String {
    number.map_or_else(|| "unknown".to_owned(), |number| number.to_string())
}

impl Error {
    /// Whether trying again can help.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::RateLimited { .. } | Self::Unavailable { .. } => ErrorClass::Transient,
            _ => ErrorClass::Permanent,
        }
    }

    /// How long BigQuery asks to wait before trying again.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// The same, with the limit that was given.
    pub(crate) fn of_limit(self, given: Option<u64>) -> Self {
        match self {
            Self::BytesLimit { limit, needed } => Self::BytesLimit {
                limit: given.unwrap_or(limit),
                needed,
            },
            other => other,
        }
    }

    /// Whether the job has ended with it.
    pub(crate) const fn ends_job(&self) -> bool {
        matches!(
            self,
            Self::Cancelled
                | Self::InvalidQuery { .. }
                | Self::BytesLimit { .. }
                | Self::NotFound { .. }
        )
    }
}

/// What a failed request can be followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Nothing.
    No,
    /// The same request.
    Same,
    /// Another job: that one has failed.
    OtherJob,
}

/// A request that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub error: Error,
    pub again: Again,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let again = match error.class() {
            ErrorClass::Transient => Again::Same,
            ErrorClass::Permanent => Again::No,
        };
        Self { error, again }
    }
}

/// A request without an answer.
pub(crate) fn by_cause(error: &reqwest::Error) -> Error {
    match Cause::of(error) {
        cause @ Cause::Certificate => Error::Refused(cause.code()),
        cause => unavailable(cause.code(), None),
    }
}

/// An answer without a body.
pub(crate) fn by_body(error: &NoBody) -> Error {
    match error {
        NoBody::TooLarge => Error::Malformed("answer_too_large"),
        NoBody::Lost(error) => by_cause(error),
    }
}

const fn unavailable(code: &'static str, retry_after: Option<Duration>) -> Error {
    Error::Unavailable { code, retry_after }
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Deserialize)]
struct RefusalBody {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// What an answer other than 200 means: by its reason first, since the same reason comes with different statuses.
/// <https://cloud.google.com/bigquery/docs/error-messages>
pub(crate) fn by_answer(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Failed {
    let refusal = serde_json::from_slice::<Refusal>(body).ok();
    let is_bigquerys = refusal.is_some();
    let (reason, message) = refusal.map_or_else(Default::default, |Refusal { error }| {
        let reason = error.errors.into_iter().next();
        (
            reason.map(|first| first.reason).unwrap_or_default(),
            error.message,
        )
    });
    let limited = Error::RateLimited { retry_after };
    let error = match (reason.as_str(), status.as_u16()) {
        ("jobRateLimitExceeded", _) => return other_job(limited),
        ("jobBackendError" | "jobInternalError", _) => {
            return other_job(unavailable("job_failed", retry_after));
        }
        ("bytesBilledLimitExceeded", _) => bytes_limit(&message),
        ("rateLimitExceeded", _) | (_, 429) => limited,
        ("backendError" | "internalError" | "tableUnavailable", _) | (_, 408 | 500..=599) => {
            unavailable("server_error", retry_after)
        }
        ("stopped", _) => Error::Cancelled,
        ("timeout", _) => Error::TimedOut,
        ("invalidQuery" | "parseError" | "resourcesExceeded" | "responseTooLarge", _) => {
            invalid_query(&message)
        }
        (_, 300..=399) => Error::Refused("redirected"),
        (_, 100..=299) => Error::Malformed("unexpected_status"),
        (_, status) if !is_bigquerys => Error::NotJson { status },
        (_, 400) => invalid_query(&message),
        (_, 401) => Error::Unauthorized,
        (reason, 403) => Error::Forbidden {
            reason: known(reason),
        },
        (_, 404) => Error::NotFound {
            what: what(&message),
        },
        _ => Error::Refused("request_refused"),
    };
    error.into()
}

const fn other_job(error: Error) -> Failed {
    Failed {
        error,
        again: Again::OtherJob,
    }
}

/// A reason is one word of BigQuery's.
fn known(reason: &str) -> String {
    let is_word =
        (1..=64).contains(&reason.len()) && reason.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_word { reason } else { "unknown" }.to_owned()
}

/// `Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.`
fn bytes_limit(message: &str) -> Error {
    let numbers = message.split(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.filter_map(|digits| digits.parse().ok());
    Error::BytesLimit {
        limit: numbers.next().unwrap_or_default(),
        needed: numbers.next(),
    }
}

/// `Not found: Table project:dataset.table was not found in location US`
fn what(message: &str) -> &'static str {
    let named = message.strip_prefix("Not found: ").unwrap_or(message);
    let kinds = [
        ("Table", "table"),
        ("Dataset", "data set"),
        ("Project", "project"),
        ("Job", "job"),
    ];
    let kind = kinds.iter().find(|(prefix, _)| named.starts_with(prefix));
    kind.map_or("resource", |(_, what)| *what)
}

/// The words of a message up to what it quotes, which may be a value, and its position.
fn invalid_query(message: &str) -> Error {
    let is_word = |word: &&str| {
        word.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-=<>+*/,".contains(&b))
            && !word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
    };
    let mut head = String::new();
    for word in message.split(' ') {
        // What a colon is followed by is quoted.
        let (word, ends) = word
            .strip_suffix(':')
            .map_or((word, false), |word| (word, true));
        if !is_word(&word) {
            break;
        }
        if !head.is_empty() {
            head.push(' ');
        }
        head.push_str(word);
        if ends {
            break;
        }
    }
    head.truncate(200);
    if let Some(position) = position(message) {
        head.push_str(" at ");
        head.push_str(position);
    }
    Error::InvalidQuery { message: head }
}

/// The last `[line:column]`.
fn position(message: &str) -> Option<&str> {
    let from = message.rfind('[')?;
    let found = message.get(from..=from + message.get(from..)?.find(']')?)?;
    let (line, column) = found.get(1..found.len() - 1)?.split_once(':')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(line) && is_number(column)).then_some(found)
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
