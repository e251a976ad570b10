//! Request bodies: limited before parsing, then parsed with the place of the error.

use actix_web::{
    dev::{Decompress, Payload},
    error::PayloadError,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap},
    },
    web::{Bytes, BytesMut},
};
use domain::shared::{Violation, exact_numbers, whole_surrogates};
use futures::StreamExt;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    Problem,
    shape::{self, Node},
};

/// Largest body where nothing else is configured.
pub const DEFAULT_LIMIT: usize = 64 * 1024 * 1024;

/// Why a body cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed, after decompression.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// The most that is allowed.
        limit: usize,
    },
    /// Another content type than JSON.
    #[error("the content type must be application/json")]
    UnsupportedMediaType,
    /// A content encoding other than gzip and deflate.
    #[error("the content encoding must be gzip, deflate or identity")]
    UnsupportedEncoding,
    /// The bytes could not be read to their end or unpacked.
    #[error("the body ended early or cannot be unpacked")]
    Unreadable,
    /// No body.
    #[error("the body is empty")]
    Missing,
    /// Not JSON.
    #[error("malformed JSON at line {line}, column {column}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1; 0 at the start of a line.
        column: usize,
    },
    /// JSON, of another shape than expected.
    #[error("{}", .0.detail)]
    Invalid(Violation),
}

impl BodyError {
    /// Stable code in snake_case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => "unsupported_media_type",
            Self::Unreadable => "unreadable_body",
            Self::Missing | Self::Malformed { .. } => "malformed_json",
            Self::Invalid(_) => "validation_failed",
        }
    }

    /// The status, where `invalid` is what the face answers to valid JSON that breaks a rule.
    pub const fn status(&self, invalid: StatusCode) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Unreadable | Self::Missing | Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => invalid,
        }
    }

    /// The problem, where `invalid` is what the face answers to valid JSON that breaks a rule.
    pub fn into_problem(self, invalid: StatusCode) -> Problem {
        let problem = Problem::new(self.status(invalid), self.code());
        match self {
            Self::Invalid(broken) => problem.with_violations(vec![broken]),
            other => problem.with_detail(format!("{other}.")),
        }
    }
}

/// As V1 answers: 422 to valid JSON that breaks a rule.
impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        error.into_problem(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// Checks that the body is declared as JSON: `application/json` or any `+json`.
///
/// # Errors
/// [`BodyError::UnsupportedMediaType`] for another type or none.
pub fn require_json(headers: &HeaderMap) -> Result<(), BodyError> {
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = declared
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let essence = essence.to_ascii_lowercase();
    let structured = essence.starts_with("application/") && essence.ends_with("+json");
    if essence == "application/json" || structured {
        Ok(())
    } else {
        Err(BodyError::UnsupportedMediaType)
    }
}

/// Reads the whole body, unpacking gzip and deflate, up to `limit` bytes.
///
/// # Errors
/// When it is too large, packed in another way, or ends early.
pub async fn read(payload: Payload, headers: &HeaderMap, limit: usize) -> Result<Bytes, BodyError> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match header(CONTENT_ENCODING)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("identity" | "gzip" | "deflate") => {}
        Some(_) => return Err(BodyError::UnsupportedEncoding),
    }
    let declared = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge { limit });
    }
    let mut chunks = Decompress::from_headers(payload, headers);
    let mut body = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => BodyError::TooLarge { limit },
            _ => BodyError::Unreadable,
        })?;
        if chunk.len() > limit - body.len() {
            return Err(BodyError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads a JSON body: content type, limit, then bytes for [`parse`].
///
/// # Errors
/// As [`require_json`] and [`read`]; an empty body is [`BodyError::Missing`], whatever its type.
pub async fn read_json(
    payload: Payload,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Bytes, BodyError> {
    if headers.contains_key(CONTENT_TYPE) {
        require_json(headers)?;
    }
    let body = read(payload, headers, limit).await?;
    if body.is_empty() {
        return Err(BodyError::Missing);
    }
    require_json(headers).map(|()| body)
}

/// Parses a JSON document; half of a surrogate pair in it is U+FFFD.
///
/// # Errors
/// [`BodyError::Missing`], [`BodyError::Malformed`], or [`BodyError::Invalid`] with the place.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(BodyError::Missing);
    }
    let exact = exact_numbers(body);
    let body = exact.as_deref().unwrap_or(body);
    strictly(body).or_else(|error| match whole_surrogates(body) {
        Some(mended) => strictly(&mended),
        None => Err(error),
    })
}

fn strictly<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    serde_json::from_slice(body).map_err(|error| match error.is_data() {
        true => invalid::<T>(body),
        false => malformed(&error),
    })
}

/// Reads again to find the place: keeping track of it makes reading half as fast.
fn invalid<T: DeserializeOwned>(body: &[u8]) -> BodyError {
    // A type error may come before a syntax error; only a well-formed document has types.
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
        return malformed(&error);
    }
    let document = serde_json::from_slice::<Node>(body).ok();
    let broken = document.and_then(|document| shape::read::<T>(document).err());
    let unreadable = || Violation::new("", "invalid_value", "The document cannot be read.");
    BodyError::Invalid(broken.unwrap_or_else(unreadable))
}

fn malformed(error: &serde_json::Error) -> BodyError {
    BodyError::Malformed {
        line: error.line(),
        column: error.column(),
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
