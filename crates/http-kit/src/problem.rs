//! RFC 9457 problems, the error shape of V1 and faces L and S.

use std::{borrow::Cow, fmt, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue, RETRY_AFTER},
    },
};
use api_types::{FieldError, ProblemBody};
use domain::shared::Violation;
use ports::{ErrorClass, StoreError};
use serde_json::{Map, Value};

use crate::{
    Answer,
    context::{RequestContext, TraceId},
};

/// Content type of a problem.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// Codes of what breaks no rule: what is understood and cannot be done here, and what is missing from a
/// draft. Where nothing else is wrong, the problem has the code.
const WHOLE: [&str; 3] = ["unsupported_condition", "unsupported_setting", "incomplete"];

/// A broken rule as it is told.
fn field_error(broken: Violation) -> FieldError {
    FieldError {
        pointer: broken.pointer,
        code: Cow::Borrowed(broken.code),
        detail: broken.detail,
    }
}

/// An error answer of a handler: return it, or put it behind `?`.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Option<String>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    extra: Map<String, Value>,
}

impl Problem {
    /// A problem with any status.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            code: code.into(),
            detail: None,
            errors: Vec::new(),
            headers: Vec::new(),
            extra: Map::new(),
        }))
    }

    /// 400.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code).with_detail(detail)
    }

    /// 401, challenging for a bearer token.
    pub fn unauthorized(code: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code).with_header(
            actix_web::http::header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer"),
        )
    }

    /// 403.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code).with_detail(detail)
    }

    /// 404, for what is not there and for what belongs to another workspace.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found")
    }

    /// 409.
    pub fn conflict(code: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code)
    }

    /// 410.
    pub fn gone(code: &'static str) -> Self {
        Self::new(StatusCode::GONE, code)
    }

    /// 412: the representation has changed since it was read.
    pub fn stale() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "stale_version")
            .with_detail("The resource has changed since the version named in If-Match.")
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large").with_detail(detail)
    }

    /// 415.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type").with_detail(detail)
    }

    /// 422 with every rule that the request breaks.
    pub fn unprocessable(broken: Vec<Violation>) -> Self {
        Self::invalid(StatusCode::UNPROCESSABLE_ENTITY, broken)
    }

    /// As [`Self::unprocessable`], with the status of another face.
    pub fn invalid(status: StatusCode, broken: Vec<Violation>) -> Self {
        let all = |code: &str| !broken.is_empty() && broken.iter().all(|v| v.code == code);
        let code = WHOLE.into_iter().find(|code| all(code));
        Self::new(status, code.unwrap_or("validation_failed")).with_violations(broken)
    }

    /// 503.
    pub fn unavailable(retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").with_retry_after(retry_after)
    }

    /// 507: no room to store the request.
    pub fn insufficient_storage() -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage")
    }

    /// 500, which tells nothing but the trace id.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// Sets the sentence about this occurrence. Never repeats personal data.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds errors about places of the request.
    #[must_use]
    pub fn with_violations(mut self, broken: Vec<Violation>) -> Self {
        self.0.errors.extend(broken.into_iter().map(field_error));
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds `Retry-After`, rounded up to whole seconds.
    #[must_use]
    pub fn with_retry_after(self, after: Duration) -> Self {
        self.with_header(RETRY_AFTER, retry_after(after))
    }

    /// Adds a member that belongs to the problem's code.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The sentence about this occurrence: its own, that about the first place, or what the status says.
    pub fn detail(&self) -> &str {
        let first = self.0.errors.first().map(|error| error.detail.as_str());
        let own = self.0.detail.as_deref().or(first);
        own.filter(|detail| !detail.is_empty())
            .unwrap_or_else(|| sentence(self.0.status))
    }

    /// The errors about places of the request.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// A member that belongs to the code.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.extra.get(name)
    }

    /// The headers that go with the answer.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// What is sent, with the trace id and path of the current request.
    pub fn body(&self) -> ProblemBody {
        let context = RequestContext::current();
        let (trace_id, instance) = match context {
            Some(context) => (context.trace_id, Some(context.path)),
            None => (TraceId::random(), None),
        };
        let parts = &self.0;
        ProblemBody {
            kind: Cow::Borrowed("about:blank"),
            title: parts
                .status
                .canonical_reason()
                .unwrap_or("Error")
                .to_owned(),
            status: parts.status.as_u16(),
            detail: self.detail().to_owned(),
            instance,
            code: parts.code.clone(),
            errors: parts.errors.clone(),
            trace_id: trace_id.to_string(),
            extra: parts.extra.clone(),
        }
    }

    /// The answer, in the shape of the face that is asked.
    pub fn to_response(&self) -> HttpResponse {
        Answer::from(self.clone()).into()
    }
}

/// What a status says to a person where nothing else is known.
fn sentence(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The request cannot be read.",
        401 => "Credentials are missing or not valid.",
        404 => "Not found.",
        405 => "The resource does not have this method; Allow names those that it has.",
        409 => "The request does not go together with what is there.",
        422 => "The request breaks a rule.",
        500 => "Something failed that should not; the log has it under this trace id.",
        503 => "The service cannot do this now; try again later.",
        507 => "There is no room to store the request.",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

/// Value of a `Retry-After` header: whole seconds, at least one.
pub fn retry_after(after: Duration) -> HeaderValue {
    let seconds = after.as_millis().div_ceil(1000).max(1);
    HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.code)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        self.to_response()
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.to_response()
    }
}

/// As V1 answers one broken rule.
impl From<Violation> for Problem {
    fn from(broken: Violation) -> Self {
        Self::unprocessable(vec![broken])
    }
}

/// The one table from a store's errors to statuses. A use case that expects a conflict or a stale
/// version gives it a code of its own before it comes here.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict { .. } if error.class() == ErrorClass::Permanent => {
                Self::conflict("conflict")
            }
            StoreError::DiskFull => Self::insufficient_storage(),
            // Somebody else was quicker, and the caller named no version: the same call may succeed.
            StoreError::Conflict { .. } | StoreError::Unavailable(_) | StoreError::StaleVersion => {
                tracing::warn!(error = chain(&error), "store unavailable");
                Self::unavailable(error.retry_after().unwrap_or(Duration::from_secs(1)))
            }
            StoreError::Corrupt(_) | StoreError::Internal(_) => {
                tracing::error!(error = chain(&error), "store failed");
                Self::internal()
            }
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
