//! Notifications of ended operations: reading them, marking them, following them.

mod json;
mod mark;
mod read;
mod stream;

pub use json::NotificationJson;
pub use mark::{__path_read, __path_read_all};
pub use read::{__path_list, __path_unread_count};
pub use stream::__path_follow;

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    config
        .service(resource("/notifications").route(web::get().to(read::list)))
        .service(resource("/notifications/unread_count").route(web::get().to(read::unread_count)))
        .service(resource("/notifications/stream").route(web::get().to(stream::follow)))
        .service(resource("/notifications/read_all").route(web::post().to(mark::read_all)))
        .service(resource("/notifications/{id}/read").route(web::post().to(mark::read)));
}
