//! Customers: written by the API and by imports, read, and what they did.

mod book;
mod events;
mod read;
mod sync;
mod write;

use domain::shared::{ItemError, Violation};
use serde::{Deserialize, Serialize};

pub use events::RecordEvents;
pub use events::{EventOutcome, EventResult, MAX_EVENTS};
pub use read::ReadCustomers;
pub use sync::SyncImported;
pub use sync::{SyncBatch, SyncCounts};
pub use write::WriteCustomers;
pub use write::{CustomerOutcome, CustomerResult, MAX_CUSTOMERS};

use super::AppError;

/// Most broken rules that an answer repeats.
const MAX_VIOLATIONS: usize = 100;

/// Why an item was refused. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The member at fault, empty for the item.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
}

impl Refusal {
    fn unknown_customer() -> Self {
        Self {
            field: String::new(),
            code: "unknown_customer".to_owned(),
            detail: "there is no such customer".to_owned(),
        }
    }
}

impl From<ItemError> for Refusal {
    fn from(error: ItemError) -> Self {
        Self {
            field: error.field,
            code: error.code.to_owned(),
            detail: error.detail,
        }
    }
}

/// A broken rule of a change of one customer.
fn invalid(error: ItemError) -> AppError {
    let pointer = match error.field.as_str() {
        "" => String::new(),
        field => format!("/{field}"),
    };
    AppError::Invalid(vec![Violation::new(pointer, error.code, error.detail)])
}
