//! How faces that do not answer problems write their errors.

use actix_web::http::{Method, StatusCode};
use serde_json::Value;

use crate::Problem;

/// How a face writes errors: also those that come from before its handlers and from beneath them.
#[derive(Debug, Clone, Copy)]
pub struct ErrorShape {
    /// Whether a path is the face's.
    pub has: fn(&str) -> bool,
    /// What is sent instead of a problem, as `application/json`.
    pub body: fn(&Problem) -> Value,
    /// The status that is sent, where it is not the problem's.
    pub status: fn(&Problem, &Method) -> StatusCode,
    /// The name of its schema.
    pub schema: &'static str,
}

/// The shapes of all faces of a process, as data of the application. Any other path answers problems.
#[derive(Debug, Default)]
pub struct ErrorShapes(pub Vec<ErrorShape>);

impl ErrorShape {
    /// The one in which a path answers.
    pub(crate) fn of(path: &str, all: &[Self]) -> Option<Self> {
        all.iter().find(|shape| (shape.has)(path)).copied()
    }
}
