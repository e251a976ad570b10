//! Customers: written by the API and by imports, read, and what they did.

mod book;
mod events;
mod read;
mod sync;
mod write;

use domain::{contact::ItemError, shared::Violation};
use serde::{Deserialize, Serialize};

pub use events::{EventOutcome, EventResult, MAX_EVENTS};
pub use sync::{SyncBatch, SyncCounts};
pub use write::{CustomerOutcome, CustomerResult, MAX_CUSTOMERS};

use super::{App, AppError, AppResult, Ticket};
use ports::{StoreError, store::UnitOfWork};

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

impl App {
    /// What an earlier run of the request answered.
    async fn earlier_results<T: for<'de> Deserialize<'de>>(
        &self,
        uow: &mut dyn UnitOfWork,
        ticket: Ticket,
    ) -> AppResult<Option<Vec<T>>> {
        if !ticket.keyed {
            return Ok(None);
        }
        let Some(receipt) = uow.receipts().get(ticket.write_id).await? else {
            return Ok(None);
        };
        let corrupt = |_| StoreError::Corrupt("a receipt of items");
        Ok(Some(serde_json::from_value(receipt).map_err(corrupt)?))
    }

    /// Stores what the request answers, to be committed with what it did.
    async fn keep_results<T: Serialize + Sync>(
        &self,
        uow: &mut dyn UnitOfWork,
        ticket: Ticket,
        results: &[T],
    ) -> AppResult<()> {
        if ticket.keyed {
            let receipt = serde_json::to_value(results);
            let receipt = receipt.map_err(|e| StoreError::Internal(Box::new(e)))?;
            uow.receipts().put(ticket.write_id, receipt).await?;
        }
        Ok(())
    }
}
