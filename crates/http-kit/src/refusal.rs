//! The one table from refusals of use cases to problems.

use actix_web::http::StatusCode;
use domain::shared::Violation;
use kernel::AppError;
use ports::files::FileError;

use crate::Problem;

impl Problem {
    /// The problem of a refusal, where `invalid` is the face's status for broken rules.
    pub fn of(error: AppError, invalid: StatusCode) -> Self {
        match error {
            AppError::NotFound => Self::not_found(),
            AppError::Invalid(violations) => Self::invalid(invalid, violations),
            AppError::Malformed { code, detail } => Self::bad_request(code, detail),
            AppError::Conflict {
                code,
                detail,
                extra,
            } => {
                let problem = Self::conflict(code).with_detail(detail);
                extra
                    .into_iter()
                    .fold(problem, |p, (name, value)| p.with_member(&name, value))
            }
            AppError::Failed { code, detail } => Self::conflict(code).with_detail(detail),
            AppError::Forbidden { code, detail } => Self::forbidden(code, detail),
            AppError::PreconditionFailed => Self::stale(),
            AppError::Gone { code, detail } => Self::gone(code).with_detail(detail),
            AppError::InsufficientStorage => Self::insufficient_storage(),
            AppError::Store(error) => error.into(),
            AppError::File(error) => of_file(&error),
            AppError::Source(_) | AppError::Walk(_) | AppError::Stop(_) => Self::internal(),
        }
    }
}

/// As V1 answers: 422 to broken rules.
impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        Self::of(error, StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// The problem of a file that cannot be taken.
fn of_file(error: &FileError) -> Problem {
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
