//! What handlers share, and the frame they run in.

use std::ops::Deref;

use http_kit::ApiContext;

use super::face_j::AdminToken;
use crate::use_cases::UseCases;

/// What handlers share.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub cases: UseCases,
    /// Callers, bodies, idempotency, cursors.
    pub context: ApiContext,
    /// Opens face J.
    pub admin: AdminToken,
}

impl Deref for ApiState {
    type Target = ApiContext;

    fn deref(&self) -> &ApiContext {
        &self.context
    }
}
