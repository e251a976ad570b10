//! Customers: writing, listing, reading, looking up, labels, consent, and what they did.

mod events;
mod json;
mod list;
mod one;
mod upsert;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    events::{list_events, record_events},
    list::{count, list, look_up, tags},
    one::{change, read, record_consent, replace_tags},
    upsert::{upsert},
}
