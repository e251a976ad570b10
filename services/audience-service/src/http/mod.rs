//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod contact_json;
pub mod cursors;
pub mod error;
pub mod face_l;
pub mod openapi;
pub mod state;
pub mod v1;

use actix_web::{HttpResponse, http::header, web};

pub use state::ApiState;

/// Registers every path of the service.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(face_l::configure)
        .configure(openapi::configure)
        .configure(v1::configure)
        .route("/", web::get().to(root))
        .default_service(web::to(error::unknown_path));
}

/// Leads to the documentation until there is a panel.
async fn root() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}
