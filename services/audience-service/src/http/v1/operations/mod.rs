//! Long operations: reading, following, cancelling, retrying, undoing.

mod control;
mod events;
pub mod json;
mod read;

pub use control::{__path_cancel, __path_retry, __path_undo};
pub use events::__path_events;
pub use json::OperationJson;
pub use read::{__path_list, __path_read};

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/operations",
            [(Method::GET, web::to(read::list))],
        ))
        .service(resource(
            "/operations/{id}",
            [(Method::GET, web::to(read::read))],
        ))
        .service(resource(
            "/operations/{id}/events",
            [(Method::GET, web::to(events::events))],
        ))
        .service(resource(
            "/operations/{id}/cancel",
            [(Method::POST, web::to(control::cancel))],
        ))
        .service(resource(
            "/operations/{id}/retry",
            [(Method::POST, web::to(control::retry))],
        ))
        .service(resource(
            "/operations/{id}/undo",
            [(Method::POST, web::to(control::undo))],
        ));
}
