//! What a keyed request did, kept with its effect, so that a repetition after a crash answers the same.

use kernel::payload;
use ports::store::UnitOfWork;
use serde::{Serialize, de::DeserializeOwned};

use super::{App, AppResult, RequestId, audiences::Accepted, operations::made_audience};

impl App {
    /// What an earlier run of the request did.
    pub(crate) async fn earlier<T: DeserializeOwned>(
        &self,
        uow: &mut dyn UnitOfWork,
        request_id: RequestId,
    ) -> AppResult<Option<T>> {
        if !request_id.keyed {
            return Ok(None);
        }
        let Some(receipt) = uow.receipts().get(request_id.write_id).await? else {
            return Ok(None);
        };
        Ok(Some(payload::decode(&receipt, "the receipt of a request")?))
    }

    /// Keeps what the request did, to be committed with it.
    pub(crate) async fn keep<T: Serialize + Sync + ?Sized>(
        &self,
        uow: &mut dyn UnitOfWork,
        request_id: RequestId,
        did: &T,
    ) -> AppResult<()> {
        if request_id.keyed {
            let receipt = payload::encode(did)?;
            uow.receipts().put(request_id.write_id, receipt).await?;
        }
        Ok(())
    }

    /// The operation that an earlier run of the request began. To be asked before anything that may
    /// have changed since is looked at.
    pub(crate) async fn accepted_earlier(
        &self,
        request_id: RequestId,
    ) -> AppResult<Option<Accepted>> {
        if !request_id.keyed {
            return Ok(None);
        }
        let mut uow = self
            .deps
            .store
            .begin(ports::store::Durability::Derived)
            .await?;
        let earlier = uow.operations().by_write_id(request_id.write_id).await?;
        let Some(operation) = earlier else {
            return Ok(None);
        };
        let audience = made_audience(&operation)?.or(operation.audience);
        Ok(audience.map(|audience| Accepted {
            operation: operation.id,
            audience,
        }))
    }
}
