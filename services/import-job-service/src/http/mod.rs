//! The HTTP faces: translations between requests and use cases, nothing decided here.

mod face_j;
mod openapi;
mod state;
pub mod v1;

use actix_web::web;

pub use face_j::AdminToken;
pub use openapi::document;
pub use state::ApiState;

/// Registers the paths of the service, but for those of V1.
pub fn configure(config: &mut web::ServiceConfig) {
    config.configure(face_j::configure);
}
