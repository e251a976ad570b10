//! Contacts of an audience: writing in bulk, walking, paging, looking up, removing.

mod read;
mod write;

pub use read::{__path_list, __path_lookup, __path_read, __path_remove};
pub use write::{__path_add, WrittenJson};

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/audiences/{id}/contacts",
            [
                (Method::GET, web::to(read::list)),
                (Method::POST, web::to(write::add)),
            ],
        ))
        .service(resource(
            "/audiences/{id}/contacts/lookup",
            [(Method::POST, web::to(read::lookup))],
        ))
        .service(resource(
            "/audiences/{id}/contacts/{contact_id}",
            [
                (Method::GET, web::to(read::read)),
                (Method::DELETE, web::to(read::remove)),
            ],
        ));
}
