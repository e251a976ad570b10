//! What the bus gave up: the list of it, and sending it again.

pub mod dead;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    dead::{list, redrive},
}
