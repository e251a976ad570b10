//! Segments: conditions, preview, refresh, explanation, history.

mod history;
mod json;
mod paths;

pub(in crate::http) use json::preview_json;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    paths::{define, explain, preview, read, refresh},
    history::{members, membership, refreshes},
}
