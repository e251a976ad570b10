//! Who is not to be written to: adding, removing, listing, looking up.

mod json;
mod list;
mod write;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    list::{list, look_up},
    write::{add, remove, remove_one},
}
