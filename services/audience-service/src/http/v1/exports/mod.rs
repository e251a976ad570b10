//! Files to download: the contacts of an audience, the rejected rows of an operation.

mod contacts;
mod rejected;
mod rows_csv;

pub use rejected::unreadable_path;

use crate::http::ApiState;

http_kit::routes! {
    ApiState;
    contacts::{contacts_csv},
    rejected::{rejected_rows, unreadable_rows},
}

/// Value of `Content-Disposition` for a file of this name, which has no special characters.
fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}
