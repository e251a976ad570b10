//! Uploaded files: receiving them, and bringing their contacts into audiences.

mod incoming;
mod into;
mod json;
mod receive;

pub use into::{__path_into_audience, __path_resubmit};
pub use receive::{__path_read, __path_receive};

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    config
        .service(resource("/uploads").route(web::post().to(receive::receive)))
        .service(resource("/uploads/{id}").route(web::get().to(receive::read)))
        .service(resource("/audiences/{id}/uploads").route(web::post().to(into::into_audience)))
        .service(resource("/operations/{id}/resubmit").route(web::post().to(into::resubmit)));
}
