//! The HTTP faces: translations between requests and use cases, nothing decided here.

mod face_j;
mod openapi;
mod state;
mod v1;

use actix_web::web;

pub use face_j::AdminToken;
pub use openapi::document;
pub use state::ApiState;

/// Registers every path of the service.
pub fn configure(config: &mut web::ServiceConfig) {
    config.configure(face_j::configure).configure(v1::configure);
}
