//! The unit of work.

use ports::{StoreError, store::Durability};

use super::{Conn, Db, Held, dialect};
use crate::core::error;

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
