//! Long operations, what is remembered of requests, and API keys.

use async_trait::async_trait;
use domain::{
    operation::{Operation, OperationState},
    shared::{Instant, OperationId, WorkspaceId},
};
use ports::{
    StoreError,
    store::{
        Durability, OperationFilter, OperationQueries, OperationRepository, OperationStore,
        OperationUnit, ReceiptLog,
    },
};

use super::{Backend, Conn, Db, dialect, direct, transaction::Transaction};

mod api_keys;
mod claims;
mod idempotency;
mod receipts;
mod repository;
mod rows;

pub use idempotency::Idempotency;
pub(super) use repository::{by_ids, get};

#[async_trait]
impl OperationStore for Db {
    async fn begin_operations(
        &self,
        durability: Durability,
    ) -> Result<Box<dyn OperationUnit>, StoreError> {
        Ok(Box::new(Transaction::begin(self, durability).await?))
    }
}

#[async_trait]
impl OperationUnit for Transaction {
    fn operations(&mut self) -> Box<dyn OperationRepository + '_> {
        Box::new(repository::Operations(self.conn()))
    }

    fn receipts(&mut self) -> Box<dyn ReceiptLog + '_> {
        Box::new(receipts::Receipts(self.conn()))
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        (*self).commit().await
    }
}

#[async_trait]
impl OperationQueries for Db {
    async fn operations(
        &self,
        workspace: &WorkspaceId,
        filter: &OperationFilter,
    ) -> Result<Vec<Operation>, StoreError> {
        repository::list(&mut *self.reader().await?, workspace, filter).await
    }

    async fn operation(
        &self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Operation>, StoreError> {
        repository::get(&mut *self.reader().await?, workspace, id).await
    }

    async fn ends_of(
        &self,
        ids: &[OperationId],
    ) -> Result<Vec<(OperationId, OperationState, Option<Instant>)>, StoreError> {
        repository::ends_of(&mut *self.reader().await?, ids).await
    }
}
