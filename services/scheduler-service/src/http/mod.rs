//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod face_s;
mod openapi;
pub(crate) mod v1;

use std::sync::Arc;

pub use openapi::document;
pub use v1::routes as v1_routes;

use crate::use_cases::UseCases;

/// Who calls: the first argument of a handler, and its way to [`ApiState`].
pub type Caller = http_kit::Caller<ApiState>;

/// What handlers share.
pub struct ApiState {
    /// The use cases.
    pub(crate) cases: Arc<UseCases>,
}
