//! Imports: clients, runs, and the rows that were imported.

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
    importing::{
        BatchRepository, ClientRepository, ImportStore, ImportUnit, RowRepository, RunRepository,
    },
    store::Durability,
};

use super::{Conn, Db, dialect, direct, json_rows, operations, transaction::Transaction};

#[async_trait]
impl ImportStore for Db {
    async fn begin_import(&self) -> Result<Box<dyn ImportUnit>, StoreError> {
        let transaction = Transaction::begin(self, Durability::Full).await?;
        Ok(Box::new(transaction))
    }
}

impl ImportUnit for Transaction {
    fn clients(&mut self) -> Box<dyn ClientRepository + '_> {
        Box::new(clients::Clients(self.conn()))
    }

    fn runs(&mut self) -> Box<dyn RunRepository + '_> {
        Box::new(runs::Runs(self.conn()))
    }

    fn rows(&mut self) -> Box<dyn RowRepository + '_> {
        Box::new(rows::Rows(self.conn()))
    }

    fn batches(&mut self) -> Box<dyn BatchRepository + '_> {
        Box::new(batches::Batches(self.conn()))
    }
}
