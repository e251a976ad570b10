//! Face L: the lists of clients that came before V1, at their paths and in their shapes.

mod answer;
mod body;
mod change;
mod list;

pub use change::{__path_create, __path_delete, __path_drop_list, __path_insert, __path_restore};
pub use list::{__path_all, __path_contents};

use actix_web::{
    http::{Method, StatusCode},
    web,
};
use http_kit::{Problem, resource};

use crate::application::AppError;

/// Registers the paths of the face.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/list", [(Method::GET, web::to(list::all))]))
        .service(resource(
            "/list/{audience_id}",
            [(Method::GET, web::to(list::contents))],
        ))
        .service(resource(
            "/create",
            [(Method::POST, web::to(change::create))],
        ))
        .service(resource(
            "/insert",
            [(Method::POST, web::to(change::insert))],
        ))
        .service(resource(
            "/delete",
            [(Method::DELETE, web::to(change::delete))],
        ))
        .service(resource(
            "/drop",
            [(Method::DELETE, web::to(change::drop_list))],
        ))
        .service(resource(
            "/restore",
            [(Method::POST, web::to(change::restore))],
        ));
}

/// This face answers 400 to broken rules, except where `strict` refused a whole request.
fn refused(error: AppError) -> Problem {
    Problem::of(error, StatusCode::BAD_REQUEST)
}
