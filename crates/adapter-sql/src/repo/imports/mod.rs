//! Imports: a migration tree and repositories of their own, on the same connections.

mod batch;
mod batches;
mod budget;
mod clients;
mod contacts;
mod listed;
mod queries;
mod rows;
mod runs;
mod tickets;

use async_trait::async_trait;
use ports::{
    StoreError,
    bus::OutboxWriter,
    importing::{
        BatchRepository, ClientRepository, ImportStore, ImportUnit, RowRepository, RunRepository,
    },
    store::{Durability, OperationRepository, OperationUnit, ReceiptLog},
};

use super::{
    Conn, Db, dialect, direct,
    operation_rows::OperationRow,
    operations::{self, Operations},
    outbox::Outbox,
    receipts::Receipts,
    transaction::Transaction,
};

#[async_trait]
impl ImportStore for Db {
    async fn begin_import(&self) -> Result<Box<dyn ImportUnit>, StoreError> {
        Ok(Box::new(Unit(
            Transaction::begin(self, Durability::Full).await?,
        )))
    }
}

/// A unit of work over what only imports have.
struct Unit(Transaction);

#[async_trait]
impl OperationUnit for Unit {
    fn operations(&mut self) -> Box<dyn OperationRepository + '_> {
        Box::new(Operations(self.0.conn()))
    }

    fn receipts(&mut self) -> Box<dyn ReceiptLog + '_> {
        Box::new(Receipts(self.0.conn()))
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.0.commit().await
    }
}

impl ImportUnit for Unit {
    fn clients(&mut self) -> Box<dyn ClientRepository + '_> {
        Box::new(clients::Clients(self.0.conn()))
    }

    fn runs(&mut self) -> Box<dyn RunRepository + '_> {
        Box::new(runs::Runs(self.0.conn()))
    }

    fn rows(&mut self) -> Box<dyn RowRepository + '_> {
        Box::new(rows::Rows(self.0.conn()))
    }

    fn batches(&mut self) -> Box<dyn BatchRepository + '_> {
        Box::new(batches::Batches(self.0.conn()))
    }

    fn outbox(&mut self) -> Box<dyn OutboxWriter + '_> {
        Box::new(Outbox(self.0.conn()))
    }
}
