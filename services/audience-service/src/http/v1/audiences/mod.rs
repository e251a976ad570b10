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
pub(crate) use json::{path_id, tags};
pub use list::{__path_list, __path_read};

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/audiences",
            [
                (Method::GET, web::to(list::list)),
                (Method::POST, web::to(create::create)),
            ],
        ))
        .service(resource(
            "/audiences/{id}",
            [
                (Method::GET, web::to(list::read)),
                (Method::PATCH, web::to(commands::change)),
                (Method::DELETE, web::to(commands::drop_audience)),
            ],
        ))
        .service(resource(
            "/audiences/{id}/restore",
            [(Method::POST, web::to(commands::restore))],
        ))
        .service(resource(
            "/audiences/{id}/duplicate",
            [(Method::POST, web::to(commands::duplicate))],
        ))
        .service(resource(
            "/audiences/{id}/clear",
            [(Method::POST, web::to(commands::clear))],
        ));
}
