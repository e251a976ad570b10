//! The HTTP faces: translations between requests and use cases, nothing decided here.

mod face_j;
mod openapi;
mod state;
mod v1;

use actix_web::web;
use http_kit::fallbacks;

pub use face_j::AdminToken;
pub use openapi::document;
pub use state::ApiState;

/// Registers the paths of the service, but not what is answered to all others: another service may be
/// at the same address.
pub fn routes(config: &mut web::ServiceConfig) {
    config.configure(face_j::configure).configure(v1::configure);
}

/// Registers every path of a process that is this service alone.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(fallbacks)
        .configure(routes)
        .service(web::scope("/api/v1").configure(http_kit::operations::configure))
        .configure(openapi::configure);
}
