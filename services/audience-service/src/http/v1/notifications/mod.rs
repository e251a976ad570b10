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

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(read::list)
        .service(read::unread_count)
        .service(stream::follow)
        .service(mark::read_all)
        .service(mark::read);
}
