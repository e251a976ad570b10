//! Contacts of an audience: writing in bulk, walking, paging, looking up, removing.

mod read;
mod write;

pub use read::{__path_list, __path_lookup, __path_read, __path_remove};
pub use write::{__path_add, WrittenJson};

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    let all = resource("/audiences/{id}/contacts");
    let one = resource("/audiences/{id}/contacts/{contact_id}");
    let lookup = resource("/audiences/{id}/contacts/lookup");
    config
        .service(
            all.route(web::get().to(read::list))
                .route(web::post().to(write::add)),
        )
        .service(lookup.route(web::post().to(read::lookup)))
        .service(
            one.route(web::get().to(read::read))
                .route(web::delete().to(read::remove)),
        );
}
