//! Contacts of an audience: writing in bulk, walking, paging, looking up, removing.

mod read;
mod write;

pub use write::written_json;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    read::{list, lookup, read, remove},
    write::{add},
}
