//! The one table from refusals to problems.

use actix_web::{HttpRequest, HttpResponse, error::QueryPayloadError, http::StatusCode};
use domain::shared::Violation;
use http_kit::Problem;
use ports::files::FileError;

use crate::application::AppError;

/// The problem of a refusal, where `invalid` is the face's status for broken rules.
pub fn problem(error: AppError, invalid: StatusCode) -> Problem {
    match error {
        AppError::NotFound => Problem::not_found(),
        AppError::Invalid(violations) => Problem::invalid(invalid, violations),
        AppError::Malformed { code, detail } => Problem::bad_request(code, detail),
        AppError::Conflict {
            code,
            detail,
            extra,
        } => {
            let problem = Problem::conflict(code).with_detail(detail);
            extra
                .into_iter()
                .fold(problem, |p, (name, value)| p.with_member(&name, value))
        }
        AppError::Forbidden { code, detail } => Problem::forbidden(code, detail),
        AppError::PreconditionFailed => Problem::stale(),
        AppError::Gone { code, detail } => Problem::gone(code).with_detail(detail),
        AppError::InsufficientStorage => Problem::insufficient_storage(),
        AppError::Store(error) => error.into(),
        AppError::File(error) => file_problem(&error),
        AppError::Stop(_) => Problem::internal(),
    }
}

/// The problem of a file that cannot be taken.
fn file_problem(error: &FileError) -> Problem {
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        FileError::Malformed { code, detail, .. } if code.option().is_some() => {
            let pointer = format!("/{}", code.option().unwrap_or_default());
            let broken = Violation::new(pointer, code.as_str(), detail.clone());
            Problem::unprocessable(vec![broken])
        }
        FileError::Malformed { line, code, detail } => {
            let problem = Problem::new(unprocessable, code.as_str()).with_detail(detail.clone());
            match line {
                0 => problem,
                line => problem.with_member("line", *line),
            }
        }
        FileError::TooLarge { .. } => Problem::too_large(error.to_string()),
        FileError::DiskFull => Problem::insufficient_storage(),
        FileError::NotFound => Problem::not_found(),
        FileError::Io(_) | FileError::InvalidName | FileError::Damaged(_) => {
            tracing::error!(%error, "a stored file cannot be used");
            Problem::internal()
        }
        _ => Problem::internal(),
    }
}

/// As V1 answers: 422 to broken rules.
impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        problem(error, StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// Any path that is not served.
pub async fn unknown_path(_request: HttpRequest) -> HttpResponse {
    Problem::not_found().to_response()
}

/// A query that is not one: an unknown parameter, or one twice.
pub fn invalid_query(error: &QueryPayloadError) -> Problem {
    Problem::bad_request("invalid_query", error.to_string())
}
