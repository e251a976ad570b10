//! What a keyed request did, kept with its effect, so that a repetition after a crash answers the same.

use ports::{StoreError, store::UnitOfWork};
use serde::{Serialize, de::DeserializeOwned};

use super::{App, AppResult, Ticket, audiences::Accepted};

impl App {
    /// What an earlier run of the request did.
    pub(crate) async fn earlier<T: DeserializeOwned>(
        &self,
        uow: &mut dyn UnitOfWork,
        ticket: Ticket,
    ) -> AppResult<Option<T>> {
        if !ticket.keyed {
            return Ok(None);
        }
        let Some(receipt) = uow.receipts().get(ticket.write_id).await? else {
            return Ok(None);
        };
        let receipt = serde_json::from_value(receipt);
        Ok(Some(receipt.map_err(|_| {
            StoreError::Corrupt("the receipt of a request")
        })?))
    }

    /// Keeps what the request did, to be committed with it.
    pub(crate) async fn keep<T: Serialize + Sync + ?Sized>(
        &self,
        uow: &mut dyn UnitOfWork,
        ticket: Ticket,
        did: &T,
    ) -> AppResult<()> {
        if ticket.keyed {
            let receipt = serde_json::to_value(did);
            let receipt = receipt.map_err(|e| StoreError::Internal(Box::new(e)))?;
            uow.receipts().put(ticket.write_id, receipt).await?;
        }
        Ok(())
    }

    /// The operation that an earlier run of the request began. To be asked before anything that may
    /// have changed since is looked at.
    pub(crate) async fn accepted_earlier(&self, ticket: Ticket) -> AppResult<Option<Accepted>> {
        if !ticket.keyed {
            return Ok(None);
        }
        let mut uow = self
            .deps
            .store
            .begin(ports::store::Durability::Derived)
            .await?;
        let earlier = uow.operations().by_write_id(ticket.write_id).await?;
        Ok(earlier.and_then(|operation| {
            Some(Accepted {
                operation: operation.id,
                audience: self.made_audience(&operation).or(operation.audience)?,
            })
        }))
    }
}
