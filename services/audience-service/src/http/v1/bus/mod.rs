//! What the bus gave up: the list of it, and sending it again.

pub mod dead;

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    config
        .service(resource("/bus/dead").route(web::get().to(dead::list)))
        .service(resource("/bus/dead/redrive").route(web::post().to(dead::redrive)));
}
