//! Audiences: creating, listing, reading, changing, dropping, restoring, emptying, copying.

mod commands;
mod create;
mod json;
mod list;

pub use commands::{
    __path_change, __path_clear, __path_drop_audience, __path_duplicate, __path_restore,
};
pub use create::__path_create;
pub use json::AudienceJson;
pub(crate) use json::path_id;
pub use list::{__path_list, __path_read};

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    let all = resource("/audiences");
    let one = resource("/audiences/{id}");
    config
        .service(
            all.route(web::get().to(list::list))
                .route(web::post().to(create::create)),
        )
        .service(
            one.route(web::get().to(list::read))
                .route(web::patch().to(commands::change))
                .route(web::delete().to(commands::drop_audience)),
        )
        .service(resource("/audiences/{id}/restore").route(web::post().to(commands::restore)))
        .service(resource("/audiences/{id}/duplicate").route(web::post().to(commands::duplicate)))
        .service(resource("/audiences/{id}/clear").route(web::post().to(commands::clear)));
}
