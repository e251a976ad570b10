//! Who is not to be written to: added, removed, read, and known to whoever is about to write.

mod hashes;
mod read;
mod write;

use domain::shared::ItemError;
use serde::{Deserialize, Serialize};

pub use hashes::Hashes;
pub use read::{LookedUp, ReadSuppressions};
pub use write::{SuppressionOutcome, SuppressionResult, WriteSuppressions};

/// Most people of one request: they are written in one transaction.
pub const MAX_SUPPRESSIONS: usize = 10_000;

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
    /// Nobody takes back that a person was erased.
    fn erased() -> Self {
        Self {
            field: String::new(),
            code: ERASED.to_owned(),
            detail: ERASED_DETAIL.to_owned(),
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

/// The code of what is refused because the person was erased.
pub const ERASED: &str = "erased";

/// What is said of it.
const ERASED_DETAIL: &str = "the person was erased, and stays suppressed";
