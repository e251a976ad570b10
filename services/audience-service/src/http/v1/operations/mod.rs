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

/// Registers the paths below `/api/v1`.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(read::list)
        .service(read::read)
        .service(events::events)
        .service(control::cancel)
        .service(control::retry)
        .service(control::undo);
}
