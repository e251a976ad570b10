//! V1: communications, and what senders report.

mod ahead;
mod communications;
mod json;
pub(crate) mod plan;
mod reports;

http_kit::routes! {
    super::ApiState;
    communications::{list, create, get, change, cancel, pause, resume, recipients, occurrences},
    ahead::{preview_new, preview, follow},
    reports::{report},
}
