//! The relational store of import-job-service: clients, runs, and the rows that were imported.
//!
//! A run itself is a long operation (see [`crate::store::OperationRepository`]); what is here is what
//! only imports have. A page, its marks, its checkpoint and the cursor are written through one
//! [`ImportUnit`].

mod clients;
mod rows;
mod runs;

use async_trait::async_trait;

pub use clients::{ClientId, ClientRepository, ImportClient};
pub use rows::{DueTicket, RowRepository, Stored, StoredTicket};
pub use runs::{ImportKind, ListKey, Opened, RunRepository, StoredWalk};

use crate::StoreError;

/// Opens units of work.
#[async_trait]
pub trait ImportStore: Send + Sync {
    /// Begins a writing transaction.
    async fn begin_import(&self) -> Result<Box<dyn ImportUnit>, StoreError>;
}

/// One transaction. Dropping it rolls back.
#[async_trait]
pub trait ImportUnit: Send {
    /// Clients.
    fn clients(&mut self) -> Box<dyn ClientRepository + '_>;
    /// Runs, their walks and cursors.
    fn runs(&mut self) -> Box<dyn RunRepository + '_>;
    /// Imported rows.
    fn rows(&mut self) -> Box<dyn RowRepository + '_>;
    /// Makes everything durable and visible at once.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
