//! Face L: the lists of clients that came before V1, at their paths and in their shapes.

mod answer;
mod body;
mod change;
mod list;

use actix_web::http::StatusCode;
use http_kit::Problem;

use super::ApiState;
use crate::AppError;

http_kit::routes! {
    ApiState;
    change::{create, delete, drop_list, insert, restore},
    list::{all, contents},
}

/// This face answers 400 to broken rules, except where `strict` refused a whole request.
fn refused(error: AppError) -> Problem {
    Problem::of(error, StatusCode::BAD_REQUEST)
}
