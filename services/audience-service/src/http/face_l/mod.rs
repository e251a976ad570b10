//! Face L: the lists of clients that came before V1, at their paths and in their shapes.

mod body;
mod change;
mod list;

use actix_web::{http::StatusCode, web};
use http_kit::Problem;

use super::error::{problem, wrong_method};
use crate::application::AppError;

/// Registers the paths of the face.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    config
        .service(resource("/list").route(web::get().to(list::all)))
        .service(resource("/list/{audience_id}").route(web::get().to(list::contents)))
        .service(resource("/create").route(web::post().to(change::create)))
        .service(resource("/insert").route(web::post().to(change::insert)))
        .service(resource("/delete").route(web::delete().to(change::delete)))
        .service(resource("/drop").route(web::delete().to(change::drop_list)))
        .service(resource("/restore").route(web::post().to(change::restore)));
}

/// This face answers 400 to broken rules, except where `strict` refused a whole request.
fn refused(error: AppError) -> Problem {
    problem(error, StatusCode::BAD_REQUEST)
}
