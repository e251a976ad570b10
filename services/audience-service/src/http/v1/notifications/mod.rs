//! Notifications of ended operations: reading them, marking them, following them.

mod json;
mod mark;
mod read;
mod stream;

pub use json::NotificationJson;
pub use mark::{__path_read, __path_read_all};
pub use read::{__path_list, __path_unread_count};
pub use stream::__path_follow;

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/notifications",
            [(Method::GET, web::to(read::list))],
        ))
        .service(resource(
            "/notifications/unread_count",
            [(Method::GET, web::to(read::unread_count))],
        ))
        .service(resource(
            "/notifications/stream",
            [(Method::GET, web::to(stream::follow))],
        ))
        .service(resource(
            "/notifications/read_all",
            [(Method::POST, web::to(mark::read_all))],
        ))
        .service(resource(
            "/notifications/{id}/read",
            [(Method::POST, web::to(mark::read))],
        ));
}
