//! V1: the complete API.

pub mod bus;

use actix_web::web;

/// Registers the paths of V1.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::scope("/api/v1").configure(bus::configure));
}
