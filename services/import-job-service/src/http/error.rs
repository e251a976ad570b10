//! The one table from refusals to problems.

use http_kit::Problem;

use crate::application::AppError;

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound => Self::not_found(),
            AppError::Invalid(violations) => Self::unprocessable(violations),
            AppError::Conflict { code, detail } => Self::conflict(code).with_detail(detail),
            AppError::PreconditionFailed => Self::stale(),
            AppError::Store(error) => error.into(),
            error @ AppError::TokenLost => {
                tracing::error!(%error, "a client cannot be changed");
                Self::conflict("token_lost").with_detail(error.to_string())
            }
            _ => Self::internal(),
        }
    }
}
