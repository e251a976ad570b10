//! What the bus gave up: the list of it, and sending it again.

pub mod dead;

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/bus/dead", [(Method::GET, web::to(dead::list))]))
        .service(resource(
            "/bus/dead/redrive",
            [(Method::POST, web::to(dead::redrive))],
        ));
}
