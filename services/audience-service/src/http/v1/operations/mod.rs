//! Long operations: reading, following, cancelling, retrying, undoing.

mod control;
mod events;
pub mod json;
mod read;

pub use control::{__path_cancel, __path_retry, __path_undo};
pub use events::__path_events;
pub use json::OperationJson;
pub use read::{__path_list, __path_read};

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    config
        .service(resource("/operations").route(web::get().to(read::list)))
        .service(resource("/operations/{id}").route(web::get().to(read::read)))
        .service(resource("/operations/{id}/events").route(web::get().to(events::events)))
        .service(resource("/operations/{id}/cancel").route(web::post().to(control::cancel)))
        .service(resource("/operations/{id}/retry").route(web::post().to(control::retry)))
        .service(resource("/operations/{id}/undo").route(web::post().to(control::undo)));
}
