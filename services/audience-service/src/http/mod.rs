//! The HTTP faces: translations between requests and use cases, nothing decided here.

pub mod contact_json;
pub mod cursors;
pub mod error;
pub mod face_l;
pub mod openapi;
pub mod state;
pub mod v1;

use actix_web::{
    HttpResponse,
    http::{Method, header},
    web::{self, PathConfig, QueryConfig},
};
use http_kit::{Problem, resource};

pub use state::ApiState;

/// Registers every path of the service.
pub fn configure(config: &mut web::ServiceConfig) {
    let query = |error, _: &_| error::invalid_query(&error).into();
    let path = |_, _: &_| Problem::not_found().into();
    config
        .app_data(QueryConfig::default().error_handler(query))
        .app_data(PathConfig::default().error_handler(path))
        .configure(face_l::configure)
        .configure(openapi::configure)
        .configure(v1::configure)
        .service(resource("/", [(Method::GET, web::to(documentation))]))
        .service(resource("/docs", [(Method::GET, web::to(documentation))]))
        .default_service(web::to(error::unknown_path));
}

/// Leads to the documentation until there is a panel.
async fn documentation() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}
