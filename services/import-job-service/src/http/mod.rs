//! The HTTP faces: translations between requests and use cases, nothing decided here.

mod error;
mod face_j;
mod openapi;
mod state;
mod v1;

use actix_web::{
    HttpResponse,
    web::{self, PathConfig, QueryConfig},
};
use http_kit::Problem;

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
    let query = |error: actix_web::error::QueryPayloadError, _: &_| {
        Problem::bad_request("invalid_query", error.to_string()).into()
    };
    let path = |_, _: &_| Problem::not_found().into();
    config
        .app_data(QueryConfig::default().error_handler(query))
        .app_data(PathConfig::default().error_handler(path))
        .configure(routes)
        .service(web::scope("/api/v1").configure(http_kit::operations::configure))
        .configure(openapi::configure)
        .default_service(web::to(unknown_path));
}

async fn unknown_path() -> HttpResponse {
    Problem::not_found().to_response()
}
