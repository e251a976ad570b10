//! What handlers share.

use http_kit::SharedToken;

use crate::use_cases::UseCases;

/// Who calls: the first argument of a handler of V1, and its way to [`ApiState`].
pub type Caller = http_kit::Caller<ApiState>;

/// What handlers share.
pub struct ApiState {
    /// The use cases.
    pub cases: UseCases,
    /// Opens face J.
    pub admin: SharedToken,
}
