//! Customers: writing, listing, reading, looking up, labels, consent, and what they did.

mod events;
mod json;
mod list;
mod one;
mod upsert;

use actix_web::{http::Method, web};
use http_kit::resource;

pub use events::{__path_list_events, __path_record_events};
pub use json::CustomerJson;
pub(crate) use json::IntegerOrText;
pub use list::{__path_count, __path_list, __path_look_up, __path_tags};
pub use one::{__path_change, __path_read, __path_record_consent, __path_replace_tags};
pub use upsert::__path_upsert;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/customers",
            [
                (Method::GET, web::to(list::list)),
                (Method::POST, web::to(upsert::upsert)),
            ],
        ))
        .service(resource(
            "/customers/lookup",
            [(Method::POST, web::to(list::look_up))],
        ))
        .service(resource(
            "/customers/count",
            [(Method::GET, web::to(list::count))],
        ))
        .service(resource(
            "/customers/tags",
            [(Method::GET, web::to(list::tags))],
        ))
        .service(resource(
            "/customers/{id}",
            [
                (Method::GET, web::to(one::read)),
                (Method::PATCH, web::to(one::change)),
            ],
        ))
        .service(resource(
            "/customers/{id}/tags",
            [(Method::PUT, web::to(one::replace_tags))],
        ))
        .service(resource(
            "/customers/{id}/consents/{channel}",
            [(Method::PUT, web::to(one::record_consent))],
        ))
        .service(resource(
            "/customers/{id}/events",
            [(Method::GET, web::to(events::list_events))],
        ))
        .service(resource(
            "/events",
            [(Method::POST, web::to(events::record_events))],
        ));
}
