//! Audiences: creating, listing, reading, changing, dropping, restoring, emptying, copying.

mod commands;
mod create;
mod from;
mod json;
mod list;

pub(crate) use commands::AnyObject;
pub(crate) use json::tags;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    commands::{change, clear, drop_audience, duplicate, restore},
    create::{create},
    list::{list, read},
}
