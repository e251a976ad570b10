//! Uploaded files: receiving them, and bringing their contacts into audiences.

mod incoming;
mod into;
mod json;
mod options;
mod receive;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    into::{into_audience, resubmit},
    receive::{read, receive},
}
