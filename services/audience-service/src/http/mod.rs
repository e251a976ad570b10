//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod contact_json;
pub mod cursors;
pub mod face_l;
pub mod openapi;
pub mod state;
pub mod v1;

use actix_web::{
    HttpResponse,
    http::{Method, header},
    web,
};
use http_kit::{fallbacks, resource};

pub use state::ApiState;

/// Registers every path of the service.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(fallbacks)
        .configure(face_l::configure)
        .configure(openapi::configure)
        .configure(v1::configure)
        .service(resource("/", [(Method::GET, web::to(documentation))]))
        .service(resource("/docs", [(Method::GET, web::to(documentation))]));
}

/// Leads to the documentation until there is a panel.
async fn documentation() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}
