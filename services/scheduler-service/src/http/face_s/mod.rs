//! Face S: the schedule of seed 002, at its path and in its words.

mod answer;
mod body;
mod handlers;

use super::ApiState;

http_kit::routes! {
    ApiState;
    handlers::{list, schedule, consult, cancel},
}
