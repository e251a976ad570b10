//! Notifications of ended operations: reading them, marking them, following them.

mod json;
mod mark;
mod read;
mod stream;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    mark::{read, read_all},
    read::{list, unread_count},
    stream::{follow},
}
