//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod contact_json;
pub mod cursors;
pub mod face_l;
pub mod openapi;
pub mod state;
pub mod v1;

use actix_web::web;

pub use state::ApiState;

/// Registers the paths of the service, but for those of V1.
pub fn configure(config: &mut web::ServiceConfig) {
    config.configure(face_l::configure);
}
