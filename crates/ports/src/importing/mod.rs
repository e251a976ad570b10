//! The relational store of import-job-service: clients, runs, and the rows that were imported.
//!
//! A run itself is a long operation (see [`crate::store::OperationRepository`]); what is here is what
//! only imports have. A page, its marks, its checkpoint, the cursor, the state of its operation and its
//! events are written through one [`ImportUnit`].

mod batches;
mod clients;
mod queries;
mod rows;
mod runs;

use async_trait::async_trait;

pub use batches::{Batch, BatchId, BatchRepository, BatchRun};
pub use clients::{ClientRepository, ImportClient};
pub use queries::{
    ImportQueries, MessageFilter, Run, RunFilter, StoredMessage, TicketFilter, TicketRow,
};
pub use rows::{DueTicket, RowRepository, Stored, StoredTicket, TicketMessages};
pub use runs::{ImportKind, ListKey, Opened, RunRepository, StoredWalk};

use crate::{
    StoreError,
    bus::MessagingUnit,
    store::{OperationStore, OperationUnit},
};

/// Opens units of work.
#[async_trait]
pub trait ImportStore: OperationStore {
    /// Begins a writing transaction.
    async fn begin_import(&self) -> Result<Box<dyn ImportUnit>, StoreError>;
}

/// One transaction. Dropping it rolls back.
pub trait ImportUnit: OperationUnit + MessagingUnit {
    /// Clients.
    fn clients(&mut self) -> Box<dyn ClientRepository + '_>;
    /// Runs, their walks and cursors.
    fn runs(&mut self) -> Box<dyn RunRepository + '_>;
    /// Imported rows.
    fn rows(&mut self) -> Box<dyn RowRepository + '_>;
    /// Requests to import several clients.
    fn batches(&mut self) -> Box<dyn BatchRepository + '_>;
}
