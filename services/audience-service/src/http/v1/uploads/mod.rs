//! Uploaded files: receiving them, and bringing their contacts into audiences.

mod incoming;
mod into;
mod json;
mod options;
mod receive;

pub use into::{__path_into_audience, __path_resubmit};
pub use receive::{__path_read, __path_receive};

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/uploads",
            [(Method::POST, web::to(receive::receive))],
        ))
        .service(resource(
            "/uploads/{id}",
            [(Method::GET, web::to(receive::read))],
        ))
        .service(resource(
            "/audiences/{id}/uploads",
            [(Method::POST, web::to(into::into_audience))],
        ))
        .service(resource(
            "/operations/{id}/resubmit",
            [(Method::POST, web::to(into::resubmit))],
        ));
}
