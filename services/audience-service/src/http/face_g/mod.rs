//! Face G: the lists of clients that know them as groups. Ids are numbers of the workspace; every error is
//! `{"error", "code"}`.

mod body;
mod change;
mod json;
mod read;

use actix_web::http::StatusCode;
use http_kit::{ErrorShape, Problem};
use serde_json::json;

use super::ApiState;
use crate::AppError;

http_kit::routes! {
    ApiState;
    change::{create, edit, remove},
    read::{all, one},
}

/// How this face writes errors.
pub const ERRORS: ErrorShape = ErrorShape {
    has: |path| path == "/groups" || path.starts_with("/groups/"),
    body: |problem| {
        let error = match problem.status() {
            StatusCode::UNAUTHORIZED => "Unauthorized",
            _ => problem.detail(),
        };
        json!({ "error": error, "code": problem.status().as_u16() })
    },
    status: |problem, _| problem.status(),
    schema: "GroupError",
};

/// This face answers 409 to broken rules.
fn refused(error: AppError) -> Problem {
    match error {
        AppError::NotFound => Problem::not_found().with_detail("List not found."),
        AppError::Conflict {
            code: code @ "audience_in_use",
            ..
        } => Problem::conflict(code).with_detail("The list is in use."),
        error => Problem::of(error, StatusCode::CONFLICT),
    }
}

/// One broken rule.
fn broken(error: impl Into<String>) -> Problem {
    Problem::conflict("validation_failed").with_detail(error)
}
