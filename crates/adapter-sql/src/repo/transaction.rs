//! The unit of work.

use async_trait::async_trait;
use ports::{
    StoreError,
    bus::{InboxLog, OutboxWriter},
    store::{
        AudienceRepository, AudienceStore, ContentRepository, CreationRepository,
        CustomerEventRepository, CustomerRepository, Durability, NotificationRepository,
        OperationRepository, OperationStore, OperationUnit, OutcomeRepository, ReceiptLog,
        UnitOfWork, UploadRepository,
    },
};

use super::{
    Conn, Db, Held, audiences::Audiences, contents::Contents, creations::Creations, customers,
    dialect, feed::Feed, inbox::Inbox, operations::Operations, outbox::Outbox, outcomes::Outcomes,
    receipts::Receipts, uploads::Uploads,
};
use crate::error;

/// A transaction that writes. Dropping it rolls back.
pub(crate) struct Transaction {
    /// Taken by the commit or the rollback that ends the transaction.
    held: Option<Held>,
}

impl Transaction {
    /// Begins one.
    pub(crate) async fn begin(db: &Db, durability: Durability) -> Result<Self, StoreError> {
        // Made before the first statement, so that a caller who goes away meanwhile leaves nothing.
        let mut transaction = Self {
            held: Some(db.hold().await?),
        };
        dialect::begin(transaction.held(), durability)
            .await
            .map_err(error::store)?;
        Ok(transaction)
    }

    #[expect(
        clippy::expect_used,
        reason = "only the end of the transaction takes it"
    )]
    fn held(&mut self) -> &mut Held {
        self.held.as_mut().expect("the transaction is open")
    }

    /// The connection to write on.
    pub(crate) fn conn(&mut self) -> &mut Conn {
        dialect::conn(self.held())
    }

    /// Makes everything durable and visible at once.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        dialect::commit(self.held()).await.map_err(error::store)?;
        self.held = None;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            dialect::abandon(held);
        }
    }
}

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
        Box::new(Operations(self.conn()))
    }

    fn receipts(&mut self) -> Box<dyn ReceiptLog + '_> {
        Box::new(Receipts(self.conn()))
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        (*self).commit().await
    }
}

#[async_trait]
impl AudienceStore for Db {
    async fn begin(&self, durability: Durability) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(Transaction::begin(self, durability).await?))
    }

    async fn settle(&self) -> Result<(), StoreError> {
        dialect::flush(self).await
    }
}

impl UnitOfWork for Transaction {
    fn audiences(&mut self) -> Box<dyn AudienceRepository + '_> {
        Box::new(Audiences(self.conn()))
    }

    fn contents(&mut self) -> Box<dyn ContentRepository + '_> {
        Box::new(Contents(self.conn()))
    }

    fn creations(&mut self) -> Box<dyn CreationRepository + '_> {
        Box::new(Creations(self.conn()))
    }

    fn notifications(&mut self) -> Box<dyn NotificationRepository + '_> {
        Box::new(Feed(self.conn()))
    }

    fn outcomes(&mut self) -> Box<dyn OutcomeRepository + '_> {
        Box::new(Outcomes(self.conn()))
    }

    fn customers(&mut self) -> Box<dyn CustomerRepository + '_> {
        Box::new(customers::Customers(self.conn()))
    }

    fn customer_events(&mut self) -> Box<dyn CustomerEventRepository + '_> {
        Box::new(customers::Events(self.conn()))
    }

    fn uploads(&mut self) -> Box<dyn UploadRepository + '_> {
        Box::new(Uploads(self.conn()))
    }

    fn outbox(&mut self) -> Box<dyn OutboxWriter + '_> {
        Box::new(Outbox(self.conn()))
    }

    fn inbox(&mut self) -> Box<dyn InboxLog + '_> {
        Box::new(Inbox(self.conn()))
    }
}
