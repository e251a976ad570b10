//! Events that leave, and deliveries that are done.

use async_trait::async_trait;
use ports::{
    StoreError,
    bus::{InboxLog, MessagingStore, MessagingUnit, MessagingWork, OutboxWriter},
    store::Durability,
};

use super::{
    Backend, Conn, Db, dialect, direct,
    transaction::{self, Transaction},
};

mod dead_letters;
mod environment;
mod inbox;
mod outbox;
mod outbox_queue;
mod rows;

#[async_trait]
impl MessagingStore for Db {
    async fn begin_messaging(&self) -> Result<Box<dyn MessagingWork>, StoreError> {
        let transaction = Transaction::begin(self, Durability::Full).await?;
        Ok(Box::new(transaction))
    }
}

#[async_trait]
impl MessagingWork for Transaction {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        (*self).commit().await
    }
}

impl MessagingUnit for Transaction {
    fn outbox(&mut self) -> Box<dyn OutboxWriter + '_> {
        Box::new(outbox::Outbox(self.conn()))
    }

    fn inbox(&mut self) -> Box<dyn InboxLog + '_> {
        Box::new(inbox::Inbox(self.conn()))
    }
}
